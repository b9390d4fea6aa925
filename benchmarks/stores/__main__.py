"""Stores elsewhere, tried for real: does a fresh clone get everything, and what does it take?

    python -m benchmarks.stores                 all, about five minutes; needs the outs of `make repro`
    python -m benchmarks.stores folder          a DVC remote that is a folder
    python -m benchmarks.stores s3              one on S3: a local server (moto), in an environment of its own
    python -m benchmarks.stores ssh             one on an SSH server, which has to be installed
    python -m benchmarks.stores mlflow          an MLflow server on PostgreSQL, which has to be installed

Servers listen on 127.0.0.1 and end with the program. Writes benchmarks/results/stores.json.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.stores import mlflow, remotes
from trivium.machine import files

RESULTS = Path(__file__).resolve().parents[1] / "results/stores.json"
PARTS = {"folder": remotes.folder, "s3": remotes.s3, "ssh": remotes.ssh, "mlflow": mlflow.measure}


def main(words: list[str]) -> None:
    if unknown := [word for word in words if word not in PARTS]:
        sys.exit(f"There is no part `{unknown[0]}`: {', '.join(PARTS)}")
    found = files.read_json_or(RESULTS, {})
    for name in words or PARTS:
        with tempfile.TemporaryDirectory(prefix="trivium-stores-") as scratch:
            found[name] = PARTS[name](Path(scratch))
        print(json.dumps({name: found[name]}, indent=1), flush=True)
    files.write(RESULTS, json.dumps(found | {"machine": machine()}, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
