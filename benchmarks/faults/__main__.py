"""The campaign of faults: how many of n runs survived what was done to them.

    make faults                                          everything
    make faults N=20                                     a tenth of it
    python -m benchmarks.faults --only interrupts        one file of this folder; its kinds are put beside the others
    python -m benchmarks.faults --list

Writes benchmarks/results/faults.json, kind by kind as they end; where it is stopped, what was tried until then.
Exit code 1 where anything was lost.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.faults import FULL, Fault, Kind, Tally, faults
from benchmarks.machine import machine
from trivium.machine import files

RESULTS = Path(__file__).resolve().parents[1] / "results/faults.json"


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description="What survives which fault.")
    parser.add_argument("--repetitions", type=int, default=FULL, metavar="N",
                        help=f"kills and interrupts; of other kinds as large a share of a full campaign as N is of "
                             f"{FULL} (default: {FULL})")
    parser.add_argument("--only", action="append", default=[], metavar="KIND", help="one file; may be given again")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn (default: 0)")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="JSON", help="default: benchmarks/results")
    parser.add_argument("--list", action="store_true", help="print the kinds, and how many repetitions are full")
    asked = parser.parse_args(words)
    known = faults()
    if asked.list:
        print("\n".join(f"{one.name}: {one.full}" for one in known.values()))
        return 0
    if wrong := sorted(set(asked.only) - set(known)):
        parser.error(f"`{wrong[0]}` is no kind of fault: {', '.join(known)}")
    if asked.repetitions < 1:
        parser.error("--repetitions is 1 or more")
    chosen = [known[name] for name in asked.only or known]
    kinds: dict[str, Kind] = {}
    for number, one in enumerate(chosen, 1):
        count = one.repetitions(asked.repetitions)
        print(f"{number} of {len(chosen)}, {one.name}: {count} repetitions", flush=True)
        started = time.perf_counter()
        try:
            found = tried(one, count, asked.seed)
        except BaseException:  # somebody has seen enough
            keep(asked.out, {tally.name: tally.kind() for tally in Tally.begun if tally.tried})
            raise
        kinds |= found
        keep(asked.out, found)
        for name, kind in found.items():
            print(f"{name}: {kind.survived} of {kind.tried} survived", flush=True)
        print(f"  in {timedelta(seconds=round(time.perf_counter() - started))}", flush=True)
    lost = sum(kind.tried - kind.survived for kind in kinds.values())
    print("Nothing was lost." if not lost else f"{lost} did not survive: what was lost is said above.")
    return 1 if lost else 0


def tried(one: Fault, count: int, seed: int) -> dict[str, Kind]:
    """What its campaign found, in a scratch folder of its own."""
    with tempfile.TemporaryDirectory(prefix="trivium-faults-", ignore_cleanup_errors=True) as scratch:
        found = one.campaign(count, Path(scratch), seed)
    return {name: Kind.model_validate(dict(kind)) for name, kind in found.items()}


def keep(path: Path, found: Mapping[str, Kind]) -> None:
    """Merge what was `found` into the results."""
    known: dict[str, Any] = files.read_json_or(path, {})
    kinds = known.get("kinds", {}) | {name: kind.model_dump() for name, kind in found.items()}
    made = {"command": "make faults", "kinds": kinds, "machine": machine()}
    files.write(path, json.dumps(made, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main())
