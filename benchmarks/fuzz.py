"""Many odd inputs through readers, decoders, imports and `predict`: no traceback, no hang, bounded memory, no row lost.

    PYTHONPATH=src:. .venv/bin/python -m benchmarks.fuzz --examples 10000

Needs what development.txt lists. The suite tries a few hundred of the same kind (tests/fuzz). Decoders say much on
standard error (2>/dev/null). Writes benchmarks/results/fuzz.json: how often each ended how. What fails is printed, and
kept as a test once it is mended.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fake_outs import fake_data, fake_models, fake_outs
from tests.fuzz import archives, checks, imported, made
from trivium.runtime import away
from trivium.serving.predictor import Predictor

RESULTS = Path(__file__).resolve().parent / "results/fuzz.json"
SLOW = {"manifests": 50}  # one of so many examples: Great Expectations takes a second for each
FORMS = st.sampled_from((".csv", ".jsonl", ".parquet"))


def kinds(folder: Path) -> dict[str, tuple[Callable[..., str], dict[str, st.SearchStrategy[Any]]]]:
    """What is checked, and with what. folder: an empty one"""
    files = folder / "files"
    files.mkdir()
    made.good(files)
    fake_outs(folder, {"supervised_frozen": 0.9})
    fake_data(folder)
    fake_models(folder, "supervised_frozen")
    answering, facts = Predictor.of_strategy(folder, "supervised_frozen"), checks.facts()
    return {
        "tables": (lambda table: checks.reads(files, table), {"table": made.tables()}),
        "pictures": (lambda content: checks.decodes(files, "image", content, None, None), {"content": made.IMAGES}),
        "sounds": (lambda content, start, end: checks.decodes(files, "audio", content, start, end),
                   {"content": made.SOUNDS, "start": made.SPANS, "end": made.SPANS}),
        "videos": (lambda content, start, end: checks.decodes(files, "video", content, start, end),
                   {"content": made.VIDEOS, "start": made.SPANS, "end": made.SPANS}),
        "archives": (lambda archived: archives.check(files, archived), {"archived": archives.archives()}),
        "imports": (lambda tree, alone: imported.check(files, tree, alone),
                    {"tree": imported.trees(), "alone": st.integers(0, 30)}),
        "predict": (lambda table, form: checks.predicts(answering, files, table, form),
                    {"table": made.tables("text"), "form": FORMS}),
        "samples": (lambda samples: checks.answers(answering, files, samples), {"samples": made.SAMPLES}),
        "cells": (lambda cells: checks.packs(facts, cells),
                  {"cells": st.lists(made.PACKED, min_size=1, max_size=4)}),
        "manifests": (lambda table: checks.validates(files, table), {"table": made.manifests()}),
    }


def tried(check: Callable[..., str], drawn: dict[str, st.SearchStrategy[Any]], count: int) -> Counter[str]:
    """How often `count` examples ended how; what fails is printed, and ends the trial."""
    ends = Counter[str]()

    @settings(max_examples=count, derandomize=True, deadline=None, database=None,
              suppress_health_check=list(HealthCheck))
    @given(**drawn)
    def one(**values: Any) -> None:
        ends[check(**values)] += 1

    try:
        one()
    except (Exception, checks.Late):
        traceback.print_exc(file=sys.stdout)
        ends["failed"] += 1
    return ends


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000, help="in all (default: 10,000)")
    parser.add_argument("--only", default="", metavar="KIND", help="one kind, of which nothing is written down")
    asked = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        every = kinds(Path(scratch))
        for name in [asked.only] if asked.only else every:
            start = time.perf_counter()
            count = asked.examples // SLOW[name] if name in SLOW else -(-asked.examples // (len(every) - len(SLOW)))
            with away.decoding() if name == "predict" else nullcontext():  # which else starts workers for each
                ends = tried(*every[name], count)
            found[name] = {"examples": ends.total(), "ends": dict(sorted(ends.items()))}
            print(f"{name}: {found[name]}  {time.perf_counter() - start:.0f} s", flush=True)
    failed = sum(one["ends"].get("failed", 0) for one in found.values())
    if not asked.only:
        RESULTS.write_text(json.dumps({
            "examples": sum(one["examples"] for one in found.values()), "failed": failed,
            "limits": {"seconds of computing": checks.SECONDS, "seconds": checks.WAIT, "bytes": checks.MEMORY},
            "kinds": found}, indent=1) + "\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
