"""Programs that run beside a measurement: in environments of their own, on 127.0.0.1, ended by their process id."""

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
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def environment(place: Path, *packages: str) -> Path:
    """The `bin` of a new virtual environment with `packages`."""
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    subprocess.run([str(place / "bin/pip"), "install", "--quiet", *packages], check=True)
    return place / "bin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: Sequence[str], url: str, log: Path, folder: Path | None = None, without: str = "", **more: str,
            ) -> Iterator[subprocess.Popen[bytes]]:
    """`command` in `folder` until the block ends; it begins once `url` answers, or takes a
    connection (`tcp://HOST:PORT`). more: of its environment, which has no
    variable `without`.
    """
    environment = {name: value for name, value in os.environ.items() if name != without} | more
    with log.open("ab") as words:
        process = subprocess.Popen(command, stdout=words, stderr=words, cwd=folder, env=environment,
                                   start_new_session=True)
    try:
        until = time.monotonic() + 180
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"{command[0]} did not start: {log.read_text()[-2000:]}")
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


def _answers(url: str) -> bool:
    try:
        if url.startswith("tcp://"):
            host, port = url.removeprefix("tcp://").split(":")
            socket.create_connection((host, int(port)), timeout=2).close()
            return True
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def timed(words: Sequence[str], folder: Path, **more: str) -> tuple[float, str]:
    """Seconds of a command that must succeed, and what it said."""
    path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    begun = time.perf_counter()
    own = {"PATH": path, "PYTHONPATH": str(folder / "src"), "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, env=os.environ | own | more)
    if done.returncode:
        sys.exit(f"{' '.join(words)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return round(time.perf_counter() - begun, 1), done.stdout + done.stderr
