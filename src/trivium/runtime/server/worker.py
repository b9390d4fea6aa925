"""A process that answers: it listens itself, or a `supervisor` hands it connections."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn

from trivium.runtime.runner import Runner
from trivium.runtime.server import connections
from trivium.runtime.server.app import Service, app
from trivium.runtime.server.told import BACKLOG, WORD, Told
from trivium.runtime.watch import Watch
from trivium.settings.errors import UserError


class Server(uvicorn.Server):
    """begun: called once requests are taken;  channel: what brings connections, where this process does not listen; it
    ends with the one that does.
    """

    def __init__(self, told: Told, begun: Callable[[], None], channel: socket.socket | None = None) -> None:
        runner = Runner(told.folder, told.int8)
        watch = Watch(told.log, runner, told.log_raw) if told.log else None
        self.service = Service(runner, told.limits, told.token, watch)
        self.begun, self.channel, self.taken = begun, channel, set[asyncio.Task[Any]]()
        http = connections.protocol(told.limits.header_seconds, connections.room(), self._ended)
        super().__init__(uvicorn.Config(
            app(self.service), http=http, lifespan="on", loop="asyncio", log_level="warning", access_log=False,
            backlog=connections.BURST, timeout_graceful_shutdown=max(1, round(told.limits.drain_seconds)),
            server_header=False))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or ():
            listening.listen(BACKLOG)  # which asyncio has set to the size of a burst
        if self.channel is not None:
            self.loop = asyncio.get_running_loop()
            self.channel.setblocking(False)
            self.loop.add_reader(self.channel, self._handed, self.channel)
        self.begun()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.channel is not None:
            self.loop.remove_reader(self.channel)
            with contextlib.suppress(OSError):
                self.channel.shutdown(socket.SHUT_RDWR)  # no more connections
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: Any) -> None:
        self.service.draining = True
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    def _handed(self, channel: socket.socket) -> None:
        """Take what the supervisor hands over; without it, end."""
        try:
            said, found, _, _ = socket.recv_fds(channel, connections.BURST, connections.BURST)
        except BlockingIOError:
            return
        except OSError:
            said, found = b"", []
        if not said:
            self.loop.remove_reader(channel)
            self.handle_exit(signal.SIGTERM, None)
        for one in found:
            client = socket.socket(fileno=one)
            client.setblocking(False)
            taken = self.loop.create_task(self.loop.connect_accepted_socket(self._protocol, client))
            self.taken.add(taken)
            taken.add_done_callback(self.taken.discard)

    def _protocol(self) -> asyncio.Protocol:
        kind: Any = self.config.http_protocol_class
        return kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    def _ended(self) -> None:
        if self.channel is not None:
            with contextlib.suppress(OSError):
                self.channel.send(WORD)


def main() -> None:
    """A child of the supervisor. Standard input is the channel: it begins with what `Told` says, a line of JSON."""
    with socket.socket(fileno=0) as channel:
        with channel.makefile("rb", buffering=0) as file:
            told = Told.model_validate_json(file.readline())
        try:
            Server(told, lambda: channel.sendall(WORD), channel).run([])
        except UserError as error:
            channel.sendall(str(error).encode())
            sys.exit(1)
