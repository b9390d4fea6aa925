"""An MLflow server that dies, fails, is slow or full, or whose answer is lost, while `trivium sync` writes to it; and a
sync that is cut off. The next sync must complete what is there: equal to an experiment that nothing was done to.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.proxy import Proxy, Spoiled, proxy
from benchmarks.faults.shown import shown
from benchmarks.servers import free_port, running

FULL = 12  # repetitions of each kind
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
KINDS = {
    "server_dies": "an MLflow server is killed (SIGKILL) during a sync; the next sync completes it, equal to one that "
                   "nothing was done to",
    "server_fails": "an MLflow server answers 500 or 503 from some moment of a sync on",
    "server_answer_lost": "an MLflow server does what it is asked, but one to three of its answers are lost",
    "server_slow": "an MLflow server answers too late from some moment of a sync on",
    "server_full": "the disk of an MLflow server is full (507) from some moment of a sync on",
    "server_sync_cut_off": "`trivium sync` is killed (SIGKILL) while it writes to an MLflow server",
}
SHORT = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "2", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
         "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0"}  # patience of the sync that is disturbed


def campaign(repetitions: int, folder: Path, seed: int) -> dict[str, dict[str, Any]]:
    """repetitions: of each kind.  folder: an empty one.  seed: of the moments."""
    os.environ |= QUIET
    with server(folder / "server") as there, proxy(there.url) as before:
        trials = [Trial(outs(folder / name, name == "model"), before, there) for name in ("model", "figures")]
        for trial in trials:
            trial.begin()
        found = {}
        for name, what in KINDS.items():
            survived = 0
            for k in range(repetitions):
                lost = trials[k % 2].lost(name, random.Random(f"{seed} {name} {k}"), f"{name}-{k}")
                survived += not lost
                if lost:
                    print(f"{name}, repetition {k} of seed {seed}: LOST: {lost}", file=sys.stderr, flush=True)
            found[name] = {"tried": repetitions, "survived": survived, "what": what}
    return found


def outs(folder: Path, model: bool) -> Path:
    """What stages leave behind, made up. model: whether a real one is there to be packaged, in hundreds of files"""
    from tests.fake_outs import fake_data, fake_models, fake_outs

    fake_outs(folder)
    if model:
        fake_data(folder)
        fake_models(folder, "supervised_frozen")
    return folder


@dataclass
class Server:
    """A real one, on SQLite. files: where it keeps those of the runs"""

    folder: Path
    port: int
    stack: contextlib.ExitStack
    process: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def start(self) -> None:
        """Where it does not run, because it was killed, or not begun yet."""
        if self.process is None or self.process.poll() is not None:
            command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{self.folder}/db",
                       "--serve-artifacts", "--artifacts-destination", str(self.files), "--host", "127.0.0.1",
                       "--port", str(self.port), "--workers", "1"]
            self.process = self.stack.enter_context(
                running(command, f"{self.url}/health", self.folder / "log", **QUIET))


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Server]:
    folder.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        made = Server(folder, free_port(), stack)
        made.start()
        yield made


@dataclass
class Trial:
    """outs: what is synced.  before: the proxy that spoils answers.

    requests, expected: of a sync that nothing is done to, and what is there then.
    """

    outs: Path
    before: Proxy
    there: Server
    requests: int = 0
    expected: dict[str, Any] = field(default_factory=dict)

    def begin(self) -> None:
        self.before.count, name = 0, f"undisturbed-{self.outs.name}"
        self.sync(name)
        self.requests, self.expected = self.before.count, self.shown(name)

    def lost(self, kind: str, draw: random.Random, experiment: str) -> str:
        """What the next sync does not mend, in words; "" where nothing is lost."""
        at = draw.randint(2, self.requests)
        self.before.count = 0
        begun = time.monotonic()
        if kind == "server_sync_cut_off":
            said = self.cut_off(at, experiment)
        else:
            self.before.spoil = self.spoil(kind, at, draw)
            said = self.sync(experiment, **SHORT)
        took, self.before.spoil = time.monotonic() - begun, lambda *_: None
        self.there.start()
        if "Traceback" in said:
            return f"at request {at}: {said}"
        if (again := self.sync(experiment)).startswith("STOPPED"):
            return f"at request {at}, the next sync: {again}"
        found = self.shown(experiment)
        print(f"  {kind} at request {at} of {self.requests}, {took:.0f} s: {said[:150]}", flush=True)
        return "" if found == self.expected else f"at request {at}: {different(found, self.expected)}"

    def spoil(self, kind: str, at: int, draw: random.Random) -> Callable[[int, str, str], Spoiled | None]:
        if kind == "server_dies":
            def dies(number: int, *_: str) -> Spoiled | None:
                if number == at:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(self.there.process.pid, signal.SIGKILL)
                return None
            return dies
        if kind == "server_answer_lost":
            what, several = Spoiled(asks=True, status=draw.choice((0, 500, 504))), draw.randint(1, 3)
            return lambda number, *_: what if at <= number < at + several else None
        what = {"server_fails": Spoiled(status=draw.choice((500, 503))), "server_slow": Spoiled(asks=True, wait=5.0),
                "server_full": Spoiled(status=507)}[kind]
        return lambda number, method, _: what if number >= at and (kind != "server_full" or method != "GET") else None

    def cut_off(self, at: int, experiment: str) -> str:
        child = os.fork()
        if child == 0:
            self.sync(experiment)
            os._exit(0)

        def cut(number: int, *_: str) -> Spoiled | None:
            if number == at:
                os.kill(child, signal.SIGKILL)
            return None

        self.before.spoil = cut
        os.waitpid(child, 0)
        return "killed"

    def sync(self, experiment: str, **patience: str) -> str:
        """What it says; what it raised, should that not be words for people, after STOPPED and Traceback."""
        from trivium.settings.errors import UserError
        from trivium.tracking.sync import sync

        own = {"MLFLOW_TRACKING_URI": self.before.url, "MLFLOW_EXPERIMENT_NAME": experiment} | patience
        before = {name: os.environ.get(name) for name in own}
        os.environ.update(own)
        try:
            return sync(self.outs)
        except UserError as error:
            return f"STOPPED: {error}"
        except Exception as error:  # what no user may ever see
            return f"STOPPED: Traceback: {type(error).__name__}: {error}"
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})

    def shown(self, experiment: str) -> dict[str, Any]:
        found = json.dumps(shown(self.there.url, experiment, self.there.files))
        return dict(json.loads(found.replace(experiment, "EXPERIMENT")))


def different(found: Any, expected: Any, where: str = "") -> str:
    """The first place where they differ."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return next((said for key in sorted(found | expected) if
                     (said := different(found.get(key), expected.get(key), f"{where}.{key}"))), "")
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = enumerate(zip(found, expected, strict=True))
        return next((said for k, (one, other) in pairs if (said := different(one, other, f"{where}[{k}]"))), "")
    return "" if found == expected else f"{where} is {str(found)[:300]}, not {str(expected)[:300]}"
