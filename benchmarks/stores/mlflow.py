"""`trivium sync` to an MLflow server on PostgreSQL: how long, how many requests; and a server that dies on the way."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.servers import environment, free_port, running, timed
from benchmarks.stores.remotes import TRIVIUM, anna


def measure(scratch: Path) -> dict[str, Any]:
    from importlib.metadata import version

    place = anna(scratch)
    bin = environment(scratch / "server", f"mlflow=={version('mlflow')}", "psycopg[binary]")
    with _postgres(scratch) as database:
        port = free_port()
        command = [str(bin / "mlflow"), "server", "--backend-store-uri", database, "--artifacts-destination",
                   str(scratch / "files"), "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        url, log = f"http://127.0.0.1:{port}", scratch / "server.log"
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        there = {"MLFLOW_TRACKING_URI": url}
        with running(command, f"{url}/health", log, **quiet):
            first, said = timed([*TRIVIUM, "sync"], place, **there)
            again, nothing = timed([*TRIVIUM, "sync"], place, **there)
        requests = log.read_text(errors="replace").count("HTTP/1.1")
        with running(command, f"{url}/health", log, **quiet) as process:
            dying = threading.Timer(0.5 * first, lambda: os.killpg(process.pid, signal.SIGKILL))
            dying.start()
            own = there | {"MLFLOW_EXPERIMENT_NAME": "cut", "PYTHONPATH": str(place / "src")}
            cut = subprocess.run([*TRIVIUM, "sync"], cwd=place, capture_output=True, text=True, env=os.environ | own)
            dying.join()
        with running(command, f"{url}/health", log, **quiet):
            rest, completed = timed([*TRIVIUM, "sync"], place, **there, MLFLOW_EXPERIMENT_NAME="cut")
            counts = [_runs(url, name) for name in ("trivium", "cut")]
    killed = {"exit_code": cut.returncode, "said": _last(cut.stderr or cut.stdout).replace(url, "URL"),
              "then_seconds": rest, "then_said": _last(completed), "runs": counts[1], "runs_without_a_kill": counts[0]}
    return {"first_seconds": first, "said": _last(said), "again_seconds": again, "again_said": _last(nothing),
            "requests": requests, "killed_in_the_middle": killed}


def _last(said: str) -> str:
    return said.strip().splitlines()[-1]


def _runs(url: str, name: str) -> int:
    from mlflow import MlflowClient

    client = MlflowClient(url)
    found = client.get_experiment_by_name(name)
    return len(client.search_runs([found.experiment_id], "", max_results=1000)) if found else 0


@contextlib.contextmanager
def _postgres(scratch: Path) -> Iterator[str]:
    """A server of its own with an empty database; its address."""
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not homes:
        sys.exit("PostgreSQL is not installed: apt-get install postgresql")
    home, data, port = homes[-1], scratch / "postgres", free_port()
    data.mkdir()
    scratch.chmod(0o755)
    who: dict[str, Any] = {}
    if os.geteuid() == 0:  # it refuses to run as root
        user = pwd.getpwnam("postgres")
        os.chown(data, user.pw_uid, user.pw_gid)
        who = {"user": user.pw_uid, "group": user.pw_gid}
    make = [home / "initdb", "--pgdata", data, "--auth", "trust", "--username", "mlflow"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd="/", **who)
    settings = ("listen_addresses=127.0.0.1", f"unix_socket_directories={data}")
    process = subprocess.Popen([home / "postgres", "-D", data, "-p", str(port), "-c", settings[0], "-c", settings[1]],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **who)
    try:
        for _ in range(100):
            if subprocess.run([home / "pg_isready", "-h", "127.0.0.1", "-p", str(port)],
                                                       stdout=subprocess.DEVNULL).returncode == 0:
                break
            time.sleep(0.2)
        yield f"postgresql://mlflow@127.0.0.1:{port}/postgres"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
