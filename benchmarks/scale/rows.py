"""Many rows of text and table from ingest to preprocess: seconds and memory of each stage, and how they grow with rows.

The rows are made up, and a Parquet manifest of them is written a piece at a time. Each stage runs as `dvc repro` runs
it. Memory is that of the stage and of all its processes together, a page that several share counted once (`Pss` of
Linux), ten times a second. `cpu_seconds` are what all its processes computed: other programs disturb them less.
"""

from __future__ import annotations

import math
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
COUNTS, MOST, TINY = (10_000, 100_000, 1_000_000), 10_000_000, (1_000, 4_000)
STAGES = ("ingest", "validate", "align", "split", "preprocess")
PIECE = 50_000  # rows that are made at a time
WORDS, CLASSES, KINDS = 20_000, 10, 40
STREAMS = {"text": {"modality": "text"}, "facts": {"modality": "table", "columns": ["area", "kind", "day"]}}


def measure(counts: Sequence[int] = COUNTS) -> list[dict[str, Any]]:
    """The part `rows` of scale.json: per number of rows `seconds`, `peak_bytes` (of the hungriest stage) and both for
    each of the `stages`.
    """
    found = []
    for count in counts:
        home = ROOT / ".cache/bench-rows"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        write(home / "mine/rows.parquet", count)
        _settings(home)
        stages = {stage: run(home, stage) for stage in STAGES}
        found.append({"rows": count, "seconds": round(sum(one["seconds"] for one in stages.values()), 1),
                      "cpu_seconds": round(sum(one["cpu_seconds"] for one in stages.values()), 1),
                      "peak_bytes": max(one["peak_bytes"] for one in stages.values()), "stages": stages})
        print(f"{count:,} rows: {found[-1]['seconds']} s ({found[-1]['cpu_seconds']} s of computing), "
              f"{found[-1]['peak_bytes'] / 1e9:.2f} GB at most", flush=True)
        shutil.rmtree(home)
    return found


def exponent(found: Sequence[dict[str, Any]], key: str = "seconds") -> float:
    """k in seconds = a + b * rows ** k, from the three largest numbers of rows, each ten times the one before: what
    every run needs to start (a) falls out of the differences.
    """
    low, middle, high = (one[key] for one in sorted(found, key=lambda one: one["rows"])[-3:])
    return round(math.log10((high - middle) / (middle - low)), 2)


def write(path: Path, count: int) -> None:
    """A manifest of `count` rows, about 100 bytes of text each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    words = pa.array(["".join(rng.choice(letters, rng.integers(2, 10))) for _ in range(WORDS)])
    often = 1 / np.arange(1, WORDS + 1)  # as words of a language are
    file = None
    for start in range(0, count, PIECE):
        table = _piece(start, min(PIECE, count - start), words, often / often.sum(), rng)
        file = file or pq.ParquetWriter(path, table.schema)
        file.write_table(table)
    if file:
        file.close()


def _piece(start: int, rows: int, words: pa.Array, often: np.ndarray, rng: np.random.Generator) -> pa.Table:
    length = rng.integers(10, 23, rows)
    drawn = words.take(pa.array(rng.choice(len(words), int(length.sum()), p=often)))
    ends = pa.array(np.append(0, np.cumsum(length)), pa.int32())
    label = rng.integers(CLASSES, size=rows)
    text = pc.binary_join(pa.ListArray.from_arrays(ends, drawn), " ")
    days = np.datetime64("2000-01-01") + rng.integers(9_000, size=rows)
    return pa.table({
        "id": pa.array([f"r{row:08d}" for row in range(start, start + rows)]),
        "label": pa.array([f"class {one}" for one in label]), "text": text,
        "area": np.round(rng.normal(50 + label, 20), 4),
        "kind": pa.array([f"kind {one}" for one in (label + rng.integers(KINDS, size=rows)) % KINDS]),
        "day": pa.array(np.datetime_as_string(days))})


def _settings(home: Path) -> None:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 10_000
    params = yaml.load(ROOT / "params.yaml")
    params["seeds"], params["data"]["source"], params["data"]["streams"] = 2, "manifest", STREAMS
    params["data"]["manifest"]["path"] = "mine/rows.parquet"
    params["data"]["watch"] = "mine/rows.parquet"
    params["pretrain"] = {"scratch": {"encoders": {"text": "words", "table": "rows"}}}
    params["train"] = {"end_to_end": {"start": "scratch", "strategy": "joint"}}
    params["compare"]["reference"] = ""
    yaml.dump(params, home / "params.yaml")


def run(home: Path, stage: str) -> dict[str, Any]:
    """Seconds and bytes of one stage."""
    import psutil

    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    started, computed, peak = time.perf_counter(), _computed(), 0
    with subprocess.Popen([sys.executable, "-m", f"pipeline.{stage}"], cwd=home, env=os.environ | {"PYTHONPATH": path},
                          stdout=subprocess.DEVNULL) as process:
        whole = psutil.Process(process.pid)
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                peak = max(peak, sum(map(_bytes, [whole, *whole.children(recursive=True)])))
            time.sleep(0.1)
    if process.returncode:
        sys.exit(f"{stage} failed.")
    found = {"seconds": round(time.perf_counter() - started, 1), "cpu_seconds": round(_computed() - computed, 1),
             "peak_bytes": peak}
    print(f"  {stage}: {found['seconds']} s, {peak / 1e9:.2f} GB", flush=True)
    return found


def _computed() -> float:
    """Seconds of all processes that have ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _bytes(process: Any) -> int:
    with suppress(OSError):  # it has ended
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return 1024 * int(line.split()[1])
    return 0
