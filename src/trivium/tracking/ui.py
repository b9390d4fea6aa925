"""`trivium ui`: the MLflow UI on the runs of this repository."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from trivium.settings.errors import UserError
from trivium.tracking import place, server, store, view

PATIENCE = 120.0  # seconds until a server that does not answer is given up


def serve(root: str | Path = ".", port: int = 5000, first_sync: bool = True) -> None:
    """Bring the store up to date, start the server, print its address, and wait for Ctrl-C. Where
    MLFLOW_TRACKING_URI names a server, say where to look.

    The server starts while the outs are read, since it takes some seconds. Raises: UserError.
    """
    folder = Path(root).resolve()
    if where := server.address():
        if first_sync:
            _sync(folder)
        print(f"MLFLOW_TRACKING_URI names a server, so none is started here. The runs are in the experiment "
              f"`{server.experiment()}` at\n\n  {place.link(where)}")
        return
    experiment = store.experiment_id(folder)  # the store must be there before the server looks for it
    port = free_port(port)
    print(f"Starting the MLflow UI on port {port} ...", flush=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with Ctrl-C ignored
    process = start(folder, port)
    try:
        if first_sync:
            _sync(folder)
        _wait(process, port, folder)
        print(f"\n  {view.address(port, experiment)}\n\nCtrl-C stops it.", flush=True)
        process.wait()
        raise UserError(f"The MLflow server stopped by itself: {_last_words(folder)}")
    except KeyboardInterrupt:
        print("\nStopped.")
    finally:
        stop(process)


def start(root: Path, port: int) -> subprocess.Popen[bytes]:
    """The server, as a process group of its own; its words go to mlruns/server.log."""
    store.settle()
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", store.uri(root), "--host", "127.0.0.1",
               "--default-artifact-root", str(store.artifacts(root)), "--port", str(port), "--workers", "1"]
    with log(root).open("wb") as words:
        return subprocess.Popen(command, stdout=words, stderr=subprocess.STDOUT, start_new_session=True)


def log(root: Path) -> Path:
    return store.database(root).with_name("server.log")


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server and its workers."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, how)
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue


def free_port(wanted: int) -> int:
    """`wanted`, or the next one that nobody listens on. Raises: UserError."""
    for port in range(wanted, min(wanted + 50, 65536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise UserError(f"No free port between {wanted} and {wanted + 49}: name another one with --port.")


def _sync(root: Path) -> None:
    from trivium.tracking.sync import sync

    try:
        print(sync(root), flush=True)
    except UserError as error:  # an empty table is better than no table
        print(error, flush=True)


def _wait(server: subprocess.Popen[bytes], port: int, root: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if server.poll() is not None:
            raise UserError(f"The MLflow server did not start: {_last_words(root)}")
        with contextlib.suppress(urllib.error.URLError, OSError), \
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise UserError(f"The MLflow server does not answer on port {port} after {PATIENCE:.0f} s.")


def _last_words(root: Path) -> str:
    lines = log(root).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"{lines[-1] if lines else 'it said nothing'} ({log(root)})"
