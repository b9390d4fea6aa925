"""The two servers, each a process on 127.0.0.1, and the rows as each wants them."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.service import load

MOST = 300  # rows
PATIENCE = 180.0  # seconds until a server answers
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
    port = free()
    command = [sys.executable, "-m", "trivium.runtime.server", ".", "--port", str(port)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | ONE
    with running(command, environment, folder, home / "ours.log", port, "/ready") as process:
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
    port = free()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", model.artifact_location,
               "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it calls `uvicorn`
    own = {"PATH": path, "MLFLOW_TRACKING_URI": uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment = dict(os.environ) | ONE | own
    with running(command, environment, home, home / "mlflow.log", port, "/ping") as process:
        yield process, port


@contextmanager
def running(command: Sequence[str], environment: dict[str, str], folder: Path, log: Path, port: int, path: str,
            ) -> Iterator[subprocess.Popen[bytes]]:
    import http.client

    with log.open("ab") as words:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=words, stderr=words,
                                   start_new_session=True)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    break
            except OSError:
                pass
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"{' '.join(command[1:5])} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.2)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def memory(process: subprocess.Popen[bytes]) -> int:
    """Resident bytes of the process and its children."""
    import psutil

    top = psutil.Process(process.pid)
    return sum(one.memory_info().rss for one in (top, *top.children(recursive=True)))
