"""The two servers, each a process on 127.0.0.1, and the rows as each wants them."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.servers import free_port, running
from benchmarks.service import load

MOST = 300  # rows
ONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
Row = dict[str, str]


def rows(root: Path, streams: dict[str, str]) -> list[Row]:
    """Of the first seed's test set: texts, and files as base64. streams: name -> modality."""
    from trivium import modalities
    from trivium.data.tables import read, read_json

    table = read(root / "data/aligned/samples.parquet").to_pylist()
    splits = {row["sample"]: row["seed_0"] for row in read(root / "data/splits/splits.parquet").to_pylist()}
    media = root / read_json(root / "data/aligned/meta.json")["root"]
    found = list[Row]()
    for row in table:
        if splits.get(row["sample"]) != "test" or len(found) == MOST:
            continue
        values = {s: row[s] for s in streams if row.get(s) is not None}
        found.append({s: value if modalities.is_written(streams[s]) else
                      base64.b64encode((media / value).read_bytes()).decode() for s, value in values.items()})
    return found


def good(body: bytes) -> bool:
    return b'"error":null' in body


def answered(body: bytes) -> bool:
    return b"predictions" in body


def invocations(rows: Sequence[Row]) -> list[bytes]:
    """For MLflow: the same, with files as `data:` URIs, which its model takes."""
    made = []
    for row in rows:
        given = {s: f"data:;base64,{value}" if len(value) > 300 else value for s, value in row.items()}
        made.append(load.request("/invocations", json.dumps({"dataframe_records": [given]}).encode()))
    return made


@contextmanager
def ours(folder: Path, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    command = [sys.executable, "-m", "trivium.runtime.server", ".", "--port", str(port)]
    ready = f"http://127.0.0.1:{port}/ready"
    with running(command, ready, home / "ours.log", folder, without="PYTHONPATH", **ONE) as process:
        yield process, port


@contextmanager
def mlflow(root: Path, strategy: str, home: Path, workers: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Its server of the same strategy's packaged model, with `workers` processes."""
    from mlflow import MlflowClient

    uri = f"sqlite:///{root / 'mlruns/mlflow.db'}"
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("trivium")
    if experiment is None:
        sys.exit("There are no runs yet: `trivium sync` makes them.")
    models = client.search_logged_models([experiment.experiment_id])
    model = next(one for one in models if one.tags.get("strategy") == strategy)
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", model.artifact_location,
               "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it calls `uvicorn`
    own = {"PATH": path, "MLFLOW_TRACKING_URI": uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with running(command, f"http://127.0.0.1:{port}/ping", home / "mlflow.log", home, **ONE, **own) as process:
        yield process, port


def memory(process: subprocess.Popen[bytes]) -> int:
    """Resident bytes of the process and its children."""
    import psutil

    top = psutil.Process(process.pid)
    return sum(one.memory_info().rss for one in (top, *top.children(recursive=True)))


def workers(process: subprocess.Popen[bytes]) -> int:
    """Processes that answer: those that it has started, or itself."""
    import psutil

    return max(1, len(psutil.Process(process.pid).children()))
