"""Connections that never come to a request: closed after a while, and sooner when there are too many of them.

uvicorn waits for the first header for ever, so that ten thousand clients who send nothing would keep all others out.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

BURST = 64  # connections that asyncio takes before it looks at any of them
SPARE = 64 + 2 * BURST  # file descriptors that are not for connections that are at work or wait


def room() -> int:
    """As many open files as this process may have; how many connections that leaves."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(16, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE)


def protocol(seconds: float, most: int, ended: Callable[[], None]) -> type[H11Protocol]:
    """seconds: until the header of a request is there;  most: connections. Of those that wait, the oldest is closed for
    a new one.  ended: called at the end of each.
    """
    waiting: dict[Any, None] = {}  # oldest first
    count = 0

    class Impatient(H11Protocol):
        timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            nonlocal count
            count += 1
            super().connection_made(transport)
            if count > most and waiting:
                oldest = next(iter(waiting))
                oldest._stop()
                oldest.transport.abort()
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._stop()
            elif self.timer is None:
                self._wait()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.timer is None and not self.transport.is_closing():
                self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            nonlocal count
            count -= 1
            self._stop()
            super().connection_lost(exc)
            ended()

        def _wait(self) -> None:
            waiting[self] = None
            self.timer = self.loop.call_later(seconds, self.transport.abort)

        def _stop(self) -> None:
            waiting.pop(self, None)
            if self.timer is not None:
                self.timer.cancel()
                self.timer = None

    return Impatient
