"""What one client gets while ten thousand others hold connections and say nothing, and some send what is too large."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.service import load, sides

CONNECTIONS = 10_000


def measure(process: Any, port: int, requests: Sequence[bytes]) -> dict[str, Any]:
    """Of one good client, ten seconds long: its requests, meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 512 if hard == resource.RLIM_INFINITY else min(hard, CONNECTIONS + 512)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    silent = list[socket.socket]()
    before = sides.memory(process)
    begun = time.perf_counter()
    for _ in range(min(CONNECTIONS, wanted - 256)):
        with contextlib.suppress(OSError):
            silent.append(socket.create_connection(("127.0.0.1", port), timeout=20))
    opened = time.perf_counter() - begun
    huge = []
    for _ in range(4):
        with contextlib.suppress(OSError):
            client = socket.create_connection(("127.0.0.1", port), timeout=20)
            client.settimeout(1)
            client.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 65536)
            huge.append(client)
    done = load.run(port, requests, 1, 10.0, sides.good)
    for client in (*silent, *huge):
        client.close()
    return done.figures() | {"connections": len(silent), "seconds_to_open": round(opened, 1),
                             "memory_more": sides.memory(process) - before}
