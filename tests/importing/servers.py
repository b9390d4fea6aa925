"""Servers on this machine: one with bad manners, and one that plays the Hugging Face hub."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Quiet(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.close_connection = True


def manners(body: bytes) -> tuple[type[BaseHTTPRequestHandler], list[tuple[str, str | None]]]:
    """A server whose answer for `/404.png` and others is as the name says; and what it was asked: path, Range."""
    asked: list[tuple[str, str | None]] = []
    halt = threading.Event()

    class Handler(_Quiet):
        def do_GET(self) -> None:
            part = self.headers.get("Range")
            asked.append((self.path, part))
            what = Path(self.path).stem.split("-")[0]
            if what in ("404", "500"):
                self.answer(int(what), b"no")
            elif what == "busy" and sum(path == self.path for path, _ in asked) < 3:
                self.answer(503, b"later")
            elif what == "breaks" and part:
                first = int(part.removeprefix("bytes=").rstrip("-"))
                self.answer(206, body[first:], ETag='"a"')
            elif what == "breaks":
                self.answer(200, body[: len(body) // 2], len(body), ETag='"a"')
            elif what == "lies":
                self.answer(200, body, len(body) + 7)
            elif what == "huge":
                self.answer(200, b"", 10**12)
            elif what == "silent":
                halt.wait(2)
            elif what == "drips":
                self.answer(200, b"", len(body))
                for k in range(100):
                    if halt.wait(0.05):
                        break
                    self.wfile.write(body[k : k + 1])
            elif what in ("leads", "file", "round"):
                place = {"leads": "/good-far.png", "file": "file:///etc/hostname", "round": "/round.png"}[what]
                self.answer(302, b"", Location=place)
            else:
                self.answer(200, body)

    return Handler, asked


def folder(root: Path) -> type[BaseHTTPRequestHandler]:
    """The files of a folder."""

    class Handler(_Quiet):
        def do_GET(self) -> None:
            path = root / self.path.lstrip("/")
            self.answer(200, path.read_bytes()) if path.is_file() else self.answer(404, b"")

    return Handler


def hub(name: str, files: Mapping[str, bytes]) -> type[BaseHTTPRequestHandler]:
    """The hub with one data set, `name`, of these files."""

    class Handler(_Quiet):
        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            sums = {file: hashlib.sha1(content).hexdigest() for file, content in files.items()}
            if path.startswith(f"/api/datasets/{name}/tree/"):
                self._json([{"type": "file", "path": file, "size": len(files[file]), "oid": sums[file]}
                            for file in files])
            elif path in (f"/api/datasets/{name}", f"/api/datasets/{name}/revision/{COMMIT}"):
                self._json({"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]})
            elif path.startswith(f"/datasets/{name}/resolve/{COMMIT}/"):
                file = path.removeprefix(f"/datasets/{name}/resolve/{COMMIT}/")
                self.answer(200, files[file], ETag=f'"{sums[file]}"', X_Repo_Commit=COMMIT)
            else:
                self.answer(404, b"{}", X_Error_Code="RepoNotFound")

        do_HEAD = do_GET

        def _json(self, what: object) -> None:
            self.answer(200, json.dumps(what).encode(), Content_Type="application/json")

    return Handler
