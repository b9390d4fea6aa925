"""Files at addresses, from servers that are there, slow or gone."""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest

from tests.modalities.media.test_archive import tarred, zipped
from trivium.modalities import media
from trivium.modalities.media import index, remote
from trivium.settings.errors import UserError

pytest.importorskip("aiohttp")


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/slow.png":
            time.sleep(3)
        status = {"/none.png": 404, "/denied.png": 403, "/broken.png": 500}.get(self.path, 200)
        self.send_response(status)
        self.end_headers()
        with suppress(BrokenPipeError):
            self.wfile.write(b"picture" * (100_000 if self.path == "/x.zip" else 1) if status == 200 else b"")

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "700000")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(remote, "PAUSES", (0.01,))
    monkeypatch.chdir(tmp_path)
    media._kept.cache_clear()
    remote._lost_before.cache_clear()


def put(path: str, content: bytes) -> None:
    fsspec.filesystem("memory").pipe_file(path, content)


def why(value: str) -> str:
    with pytest.raises(ValueError) as told:
        media.read(value, "")
    return str(told.value)


def test_files_of_a_server_and_of_memory(server: str) -> None:
    put("/bucket/a.png", b"in memory")
    assert media.read("memory://bucket/a.png", "elsewhere") == b"in memory"
    assert media.read(f"{server}/a.png", "") == b"picture"
    assert media.exists("memory://bucket/a.png", "") and not media.exists("memory://bucket/b.png", "")


def test_archives_at_an_address_are_read_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    members = {f"{k}.png": bytes([k]) * 2000 for k in range(200)}
    zipped("x.zip", members, 0)
    tarred("x.tar", members)
    for kind in ("zip", "tar"):
        put(f"/bucket/x.{kind}", Path(f"x.{kind}").read_bytes())
    read = list[int]()
    real = remote.Far.read

    def counted(self: remote.Far, offset: int, count: int) -> bytes:
        read.append(count)
        return real(self, offset, count)

    monkeypatch.setattr(remote.Far, "read", counted)
    for kind in ("zip", "tar"):
        assert media.read(f"{kind}://memory://bucket/x.{kind}::7.png", "") == members["7.png"]
    assert len(list(index.HOME.glob("*.npy"))) == 2
    read.clear()
    assert media.read("zip://memory://bucket/x.zip::150.png", "") == members["150.png"]
    assert len(read) == 1 and read[0] < 4000


def test_a_row_is_to_blame_for_what_the_server_does_not_have(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put("/bucket/a.png", b"in memory")
    assert why("memory://bucket/none.png") == why(f"{server}/none.png") == "there is no such file"
    assert why(f"{server}/denied.png") == "the server answers 403"
    assert why(f"{server}/broken.png").startswith("the server answers, and did not give it (500")
    assert why(f"zip://{server}/x.zip::a.png") == (
        "the archive cannot be read: its server sends files whole, and not the part that is asked for")
    assert why("nobody://bucket/a.png") == "nothing here can read addresses that begin with nobody://"
    monkeypatch.setattr(remote, "TIMEOUT", 0.5)
    assert why(f"{server}/slow.png") == "the server did not give it within 0.5 s"


def test_no_row_is_to_blame_for_a_server_that_is_gone() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UserError, match=rf"^http://127\.0\.0\.1:{port} cannot be read: .*No row is to blame.* "
                                        "`trivium import TABLE` fetches"):
        media.read(f"http://127.0.0.1:{port}/a.png", "")
    with pytest.raises(UserError, match=rf"^ftp://127\.0\.0\.1:{port} cannot be read: .*refused"):
        media.read(f"ftp://127.0.0.1:{port}/a.png", "")  # which fsspec connects to before it is asked for a file
    with pytest.raises(UserError, match="^memory://nowhere cannot be read: there is no such bucket or folder"):
        media.read("memory://nowhere/a.png", "")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)  # as if it were not installed, wherever it is
    with pytest.raises(UserError, match=r"^Files at gs:// need a package .* `\.venv/bin/pip install gcsfs`\.$"):
        media.read("gs://bucket/a.png", "")
