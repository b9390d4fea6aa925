"""Several workers behind one port: started, replaced when one dies, and ended together.

The supervisor takes each connection and hands it to the worker that has the fewest: were all to listen, one of them
would take nearly all connections that come at once. It loads no model and reads nothing of what clients send.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client.multiprocess import mark_process_dead

from trivium.runtime.server.told import WORD, Told
from trivium.settings.errors import UserError

PAUSE = 1.0  # seconds from the start of a worker to that of the one that replaces it, at least
GRACE = 5.0  # seconds beyond `drain_seconds` until a worker that does not end is killed
FULL = 0.02  # seconds until another try, when no worker can take a connection
BURST = 64  # connections that are taken before anything else is done
CODE = "import sys; sys.path[:] = sys.argv[1:]; from trivium.runtime.server.worker import main; main()"


@dataclass(eq=False)
class Worker:
    """channel: connections go there; a byte comes back once it is ready, and one for each connection that has ended.
    One that cannot start says why instead.
    """

    process: asyncio.subprocess.Process
    channel: socket.socket
    ready: bool = False
    connections: int = 0
    why: str = ""


class Supervisor:
    """begun: called when all `count` workers take requests for the first time."""

    def __init__(self, told: Told, listening: socket.socket, count: int, begun: Callable[[], None]) -> None:
        self.told, self.listening, self.count, self.begun = told, listening, count, begun
        self.workers = set[Worker]()
        self.started, self.failed = False, ""

    def run(self) -> None:
        """Until SIGTERM or Ctrl-C. Raises: UserError (the workers cannot start)."""
        with tempfile.TemporaryDirectory(prefix="trivium-serve-") as counts:
            asyncio.run(self._run(counts))
        if self.failed:
            raise UserError(self.failed)

    async def _run(self, counts: str) -> None:
        self.loop, self.stopping = asyncio.get_running_loop(), asyncio.Event()
        self.listening.setblocking(False)
        for sig in (signal.SIGTERM, signal.SIGINT):
            self.loop.add_signal_handler(sig, self._stop, sig)
        kept = [asyncio.create_task(self._keep(counts)) for _ in range(self.count)]
        await self.stopping.wait()
        _, late = await asyncio.wait(kept, timeout=self.told.limits.drain_seconds + GRACE)
        if late:
            self._signal(signal.SIGKILL)
        await asyncio.gather(*kept)

    def _stop(self, sig: int) -> None:
        """The first time, workers finish what was begun; at another Ctrl-C they do not."""
        again = self.stopping.is_set() and sig == signal.SIGINT
        if not self.stopping.is_set():
            self.stopping.set()
            self.loop.remove_reader(self.listening)
            self.listening.close()
        self._signal(signal.SIGINT if again else signal.SIGTERM)

    def _signal(self, sig: int) -> None:
        for worker in self.workers:
            if worker.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker.process.pid, sig)  # `send_signal` may take the exit code that asyncio waits for

    async def _keep(self, counts: str) -> None:
        """One worker after the other, until all are to stop. counts: the folder where they count, see `Metrics`"""
        while not self.stopping.is_set():
            begun = time.monotonic()
            try:
                why = await self._work(counts)
            except OSError as error:  # the system has no room for another process
                why = f"A worker cannot be started ({error.strerror})."
            if self.stopping.is_set():
                break
            if not self.started:
                self.failed = why
                self._stop(signal.SIGTERM)
                break
            print(f"{why} Another one takes its place.", file=sys.stderr, flush=True)
            await asyncio.sleep(max(0.0, begun + PAUSE - time.monotonic()))

    async def _work(self, counts: str) -> str:
        """A worker, from its start to its end, and why it ended. Raises: OSError."""
        worker = await self._start(counts)
        code = await worker.process.wait()
        self.workers.discard(worker)
        self.loop.remove_reader(worker.channel)
        worker.channel.close()
        self._listen()
        mark_process_dead(worker.process.pid, counts)
        return worker.why or f"A worker ended ({code})."

    async def _start(self, counts: str) -> Worker:
        mine, its = socket.socketpair()
        with its:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", CODE, *sys.path, stdin=its.fileno(),  # the same code, wherever it is run
                process_group=0,  # a terminal's Ctrl-C is for the supervisor, which tells them
                env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": counts})
        with contextlib.suppress(OSError):  # it has died already
            mine.sendall(self.told.model_dump_json().encode() + b"\n")
        mine.setblocking(False)
        worker = Worker(process, mine)
        self.workers.add(worker)
        self.loop.add_reader(mine, self._heard, worker)
        if self.stopping.is_set():
            self._signal(signal.SIGTERM)
        return worker

    def _heard(self, worker: Worker) -> None:
        try:
            said = worker.channel.recv(4096)
        except OSError:
            said = b""
        if not said:  # it ends
            self.loop.remove_reader(worker.channel)
            worker.ready = False
        elif worker.ready:
            worker.connections -= len(said)
        elif said == WORD:
            worker.ready = True
        else:
            worker.why += said.decode("utf-8", "replace")
        self._listen()

    def _listen(self) -> None:
        """Take connections, if anybody is there for them; until then they wait in the system's queue."""
        if self.stopping.is_set():
            return
        count = sum(worker.ready for worker in self.workers)
        if not self.started and count == self.count:
            self.started = True
            self.begun()
        if self.started and count:
            self.loop.add_reader(self.listening, self._take)
        else:
            self.loop.remove_reader(self.listening)

    def _take(self) -> None:
        for _ in range(BURST):
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            self._hand(client)

    def _hand(self, client: socket.socket) -> None:
        for worker in sorted((one for one in self.workers if one.ready), key=lambda one: one.connections):
            try:
                socket.send_fds(worker.channel, [b"."], [client.fileno()])
            except OSError:  # it is dead, or has not taken what it was handed
                continue
            worker.connections += 1
            client.close()
            return
        if self.stopping.is_set():
            client.close()
            return
        self.loop.remove_reader(self.listening)
        self.loop.call_later(FULL, self._hand, client)
        self.loop.call_later(FULL, self._listen)
