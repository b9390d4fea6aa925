"""Stages in processes that have everything loaded: one warm process is forked for each, so that a trial costs what the
stage does and not seconds of imports. The other way, `cold`, is what DVC does.

    with Warm() as warm:
        running = warm.start(["pipeline.split"], project, log)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(10)                            # the exit code, as `subprocess` has it
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[2]
MARK = "TRIVIUM_TRIAL"  # in the environment of all processes of one trial
HEAVY = ("torch", "pandas", "pyarrow.parquet", "sklearn.linear_model", "scipy.stats", "great_expectations",
         "transformers", "accelerate", "mlflow.pyfunc", "mlflow.store.tracking.sqlalchemy_store")
ALONE = ("trivium.experiments", "trivium.runtime.server", "trivium.cli.__main__", "trivium.runtime.__main__")


class Running(Protocol):
    """A process that leads a session of its own; what it says goes to its log."""

    pid: int

    def wait(self, seconds: float) -> int | None:
        """Its exit code, minus the signal that ended it; None where it has not ended by then."""


class Cold:
    """`words`, as DVC would start it. more: of its environment"""

    def __init__(self, words: Sequence[str], project: Path, log: Path, more: Mapping[str, str]) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": path, "PYTHONPATH": "src", "DVC_NO_ANALYTICS": "1",
               "DVC_SITE_CACHE_DIR": str(project / ".cache/dvc-site")}
        with log.open("wb") as said:
            self._process = subprocess.Popen(words, cwd=project, env=os.environ | own | more, stdin=subprocess.DEVNULL,
                                             stdout=said, stderr=said, start_new_session=True,
                                             preexec_fn=hearing)
        self.pid = self._process.pid

    def wait(self, seconds: float) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None


class Warm:
    """The process that is forked. A context manager."""

    def __enter__(self) -> Warm:
        environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
                                    "OMP_NUM_THREADS": "1"}  # a fork waits for the threads of who was forked for ever
        self._process = subprocess.Popen([sys.executable, "-m", __name__], cwd=ROOT, env=environment, bufsize=0,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._said()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def start(self, words: Sequence[str], project: Path, log: Path, mark: str = "") -> Running:
        """words: of `python -m`"""
        asked = {"words": list(words), "project": str(project), "log": str(log), "mark": mark}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        return _Fork(int(self._said()), self)

    def _said(self, seconds: float = 600.0) -> str:
        """The next line of it; "" where none comes in time."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            return ""
        if not (line := self._process.stdout.readline()):
            raise RuntimeError("the warm process has ended")
        return line.decode().strip()


class _Fork:
    def __init__(self, pid: int, warm: Warm) -> None:
        self.pid, self._warm = pid, warm
        self._code: int | None = None

    def wait(self, seconds: float) -> int | None:
        if self._code is None and (said := self._warm._said(seconds)):
            self._code = int(said)
        return self._code


def hearing() -> None:
    """In a new process: both signals do what they do to somebody's command at a terminal."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def session(leader: int, mark: str = "") -> list[int]:
    """Processes of the session of `leader`, itself too, and others that carry `mark`; no zombies. Linux only."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, *rest = (folder / "stat").read_text().rpartition(")")[2].split()
            if state != "Z" and (int(rest[2]) == leader or (mark and f"{MARK}={mark}\0".encode() in
                                                            (folder / "environ").read_bytes())):
                found.append(int(folder.name))
    return found


def gone(leader: int, mark: str, seconds: float) -> list[int]:
    """Processes of a session that are still there after `seconds`."""
    until = time.monotonic() + seconds
    while (left := session(leader, mark)) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def _load() -> None:
    from trivium.machine.imports import fast
    from trivium.tracking import store

    store.settle()
    with fast():
        for name in HEAVY:
            importlib.import_module(name)
    import trivium

    for module in pkgutil.walk_packages(trivium.__path__, "trivium."):
        if not module.name.startswith(ALONE):
            with contextlib.suppress(ImportError):
                importlib.import_module(module.name)


def _serve() -> dict[str, Any]:
    """What is asked of a fork, in the fork. The process itself goes on here until its standard input ends."""
    own = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    _load()
    print("ready", file=own, flush=True)
    while line := sys.stdin.buffer.readline():
        if (pid := os.fork()) == 0:
            own.close()
            return dict(json.loads(line))
        print(pid, file=own, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), file=own, flush=True)
    os._exit(0)


def _become(asked: Mapping[str, Any]) -> None:
    os.setsid()
    hearing()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as Python itself begins
    said = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for old, new in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(old, new)
    os.chdir(asked["project"])
    os.environ[MARK] = asked["mark"]
    sys.argv = ["-m", *asked["words"][1:]]


if __name__ == "__main__":
    _asked = _serve()
    _become(_asked)
    runpy.run_module(_asked["words"][0], run_name="__main__", alter_sys=True)
