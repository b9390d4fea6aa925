"""Many series from a table with lists to features: seconds and memory of `trivium import` and of each stage up to
`preprocess`, which resamples each series for an encoder and describes it by simple features.

    python -m benchmarks.many_series [COUNT]

Each series has 1,000 points: one of three speeds of swinging, and noise. How seconds and memory are measured, see
`benchmarks.scale.rows`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.machine import machine
from benchmarks.scale.rows import ROOT, STAGES, run

POINTS, PIECE, SPEEDS = 1000, 5000, 3


def write(path: Path, count: int) -> None:
    """A Parquet table with a list of `POINTS` float32 in each of `count` rows."""
    schema = pa.schema([("id", pa.string()), ("label", pa.string()), ("swing", pa.list_(pa.float32()))])
    rng, seconds = np.random.default_rng(0), np.arange(POINTS) / 100
    with pq.ParquetWriter(path, schema) as file:
        for start in range(0, count, PIECE):
            rows = min(PIECE, count - start)
            speed, begin = rng.integers(1, SPEEDS + 1, rows), rng.uniform(0, 2 * np.pi, rows)
            values = np.sin(2 * np.pi * speed[:, None] * seconds + begin[:, None]) + rng.normal(0, 0.5, (rows, POINTS))
            lists = pa.ListArray.from_arrays(pa.array(np.arange(rows + 1) * POINTS, pa.int32()),
                                             pa.array(values.astype(np.float32).ravel()))
            file.write_table(pa.table({"id": [f"s{start + k:06d}" for k in range(rows)],
                                       "label": [f"speed {one}" for one in speed], "swing": lists}, schema))


def settings(home: Path) -> None:
    """Those that are shipped, with two recipes: series as they are, and what describes them."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 10_000
    params: Any = yaml.load(ROOT / "params.yaml")
    params["seeds"] = 2
    params["pretrain"] = {"scratch": {"encoders": {"series": "waves"}}, "simple": {"encoders": {"series": "traits"}}}
    params["train"] = {"end_to_end": {"start": "scratch", "strategy": "joint"},
                       "reference": {"start": "simple", "strategy": "linear"}}
    yaml.dump(params, home / "params.yaml")


def main(count: int) -> None:
    print(machine()["processor"])
    with tempfile.TemporaryDirectory(prefix="trivium-series-") as place:
        home = Path(place)
        write(home / "rows.parquet", count)
        settings(home)
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-m", "trivium.cli", "import", "rows.parquet"], cwd=home, check=True,
                       env=os.environ | {"PYTHONPATH": str(ROOT / "src")}, stdout=subprocess.DEVNULL)
        print(f"  import: {time.perf_counter() - begin:.1f} s", flush=True)
        stages = {stage: run(home, stage) for stage in STAGES}
    seconds, computed = (sum(one[key] for one in stages.values()) for key in ("seconds", "cpu_seconds"))
    print(f"{count:,} series of {POINTS:,} points: {seconds:.1f} s from ingest to preprocess ({computed:.1f} s of "
          f"computing), {max(one['peak_bytes'] for one in stages.values()) / 1e9:.2f} GB at most.")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
