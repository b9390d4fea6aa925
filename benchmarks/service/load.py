"""Clients that ask one row after the other, each on a connection of its own that stays open; the same for every server.

Bare sockets and bodies made beforehand: what is measured shares its two cores with them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

TEN = 10.0  # seconds until an answer counts as an error


@dataclass(frozen=True)
class Load:
    """What came back. seconds: of each request, sorted."""

    seconds: np.ndarray
    errors: int
    lasted: float

    def figures(self) -> dict[str, Any]:
        p50, p95, p99 = (round(1000 * float(np.quantile(self.seconds, q)), 2) if len(self.seconds) else None
                         for q in (0.5, 0.95, 0.99))
        return {"requests_per_s": round(len(self.seconds) / self.lasted, 1), "p50_ms": p50, "p95_ms": p95,
                "p99_ms": p99, "errors": self.errors, "requests": len(self.seconds), "seconds": round(self.lasted, 1)}


def request(path: str, body: bytes, host: str = "127.0.0.1", more: str = "") -> bytes:
    head = (f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{more}"
            f"Content-Length: {len(body)}\r\n\r\n")
    return head.encode() + body


def run(port: int, requests: Sequence[bytes], clients: int, seconds: float, good: Callable[[bytes], bool]) -> Load:
    """good: whether the body of an answer with status 200 is one."""
    return asyncio.run(_run(port, requests, clients, seconds, good))


async def _run(port: int, requests: Sequence[bytes], clients: int, seconds: float,
               good: Callable[[bytes], bool]) -> Load:
    times, errors = list[float](), 0
    begun = time.perf_counter()

    async def client(number: int) -> None:
        nonlocal errors
        reader = writer = None
        index = number
        while time.perf_counter() - begun < seconds:
            started = time.perf_counter()
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                async with asyncio.timeout(TEN):
                    writer.write(requests[index % len(requests)])
                    await writer.drain()
                    status, body, keep = await answer(reader)
                if status != 200 or not good(body):
                    errors += 1
                else:
                    times.append(time.perf_counter() - started)
                if not keep:
                    writer.close()
                    writer = None
            except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
                errors += 1
                if writer is not None:
                    writer.close()
                writer = None
            index += clients
        if writer is not None:
            writer.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return Load(np.sort(np.array(times)), errors, time.perf_counter() - begun)


async def answer(reader: Any) -> tuple[int, bytes, bool]:
    """Status, body, and whether the connection stays."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
    return int(head.split()[1]), await reader.readexactly(length), "connection: close" not in head
