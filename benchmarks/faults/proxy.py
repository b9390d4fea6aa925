"""A small HTTP proxy on 127.0.0.1 that spoils chosen answers of the server behind it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}  # headers that are of one connection


@dataclass(frozen=True)
class Spoiled:
    """What becomes of one request.

    asks: whether the server gets it;  status: what is answered instead, 0: the connection is closed without a word, as
    it is where the answer is lost, None: what the server says;  wait: seconds before anything;  body: of the answer
    """

    asks: bool = False
    status: int | None = 0
    wait: float = 0.0
    body: bytes = b"spoiled"


@dataclass
class Proxy:
    """url: to be named instead of the server's;  count: requests so far, from 1 on;  seen: (method, path) of each
    headers: of the last one
    spoil: of (number, method, path) what becomes of the request; None: nothing.
    """

    url: str
    spoil: Callable[[int, str, str], Spoiled | None] = lambda *_: None
    count: int = 0
    seen: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextlib.contextmanager
def proxy(behind: str) -> Iterator[Proxy]:
    """Before the server at the address `behind`."""
    there = urlsplit(behind)
    made = Proxy("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do(self) -> None:
            body = self.chunks() if "Transfer-Encoding" in self.headers else self.rfile.read(
                int(self.headers.get("Content-Length") or 0))
            with made.lock:
                made.count += 1
                made.seen.append((self.command, self.path))
                made.headers = dict(self.headers)
                what = made.spoil(made.count, self.command, self.path)
            time.sleep(what.wait if what else 0.0)
            answer = None
            if what is None or what.asks or what.status is None:
                answer = self.asked(body)
            if what is not None and what.status is not None:
                answer = (what.status, [], what.body) if what.status else None
            if answer is None:  # nobody there, or the answer is lost
                self.close_connection = True
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, headers, content = answer
            with contextlib.suppress(OSError):  # who asked has gone
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do

        def chunks(self) -> bytes:
            """A body without a length, as an empty file is sent."""
            found = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return found

        def asked(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes] | None:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            connection = http.client.HTTPConnection(there.hostname or "", there.port, timeout=120)
            try:
                connection.request(self.command, self.path, body, headers)
                found = connection.getresponse()
                return (found.status, [one for one in found.getheaders() if one[0].lower() not in HOP], found.read())
            except (OSError, http.client.HTTPException):
                return None
            finally:
                connection.close()

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # who asked has gone

    with Server(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
