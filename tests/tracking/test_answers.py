"""What people are told when MLFLOW_TRACKING_URI names something that does not do what an MLflow server does."""

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from benchmarks.faults.proxy import Proxy, Spoiled, proxy
from tests.fake_outs import fake_outs
from trivium.tracking import answers, place, server
from trivium.tracking.sync import attempt

REST = (" Nothing is lost: all results are here, and the next `trivium sync` writes what is missing there.")
REFUSED = ("it refuses you. Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, to "
           "those of somebody who may write there.")


@pytest.fixture(scope="module")
def outs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake_outs(tmp_path_factory.mktemp("outs"), {"unimodal": 0.8})


@pytest.fixture
def spoiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy before nothing, which MLFLOW_TRACKING_URI names."""
    with proxy("http://127.0.0.1:9") as made:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", made.url)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
        yield made


def said(outs: Path) -> str:
    """What a stage prints, without the parts that are always there."""
    words = attempt(outs)
    assert words.startswith("note: MLflow at http") and words.endswith(REST), words
    return re.sub(r"^note: MLflow at \S+: ", "", words).removesuffix(REST)


@pytest.mark.parametrize(("status", "words"), [
    (401, REFUSED),
    (403, REFUSED),
    (500, "it failed (500). Its own log says why."),
    (502, "the proxy before it does not reach it."),
    (503, "it is busy, or has just been started."),
    (507, "its disk is full. Free some space there."),
])
def test_a_status_is_said(spoiled: Proxy, outs: Path, status: int, words: str) -> None:
    spoiled.spoil = lambda *_: Spoiled(status=status)
    assert said(outs) == words


@pytest.mark.parametrize(("status", "words"), [
    (404, "it does not know what is asked of it. Is the address that of an MLflow server, with all of its path?"),
    (413, "it takes no file of this size. The proxy before it has a limit, which must be raised."),
    (500, "it failed (500). Its own log says why."),
])
def test_a_status_of_later_questions_is_said(spoiled: Proxy, outs: Path, status: int, words: str) -> None:
    spoiled.spoil = lambda number, *_: Spoiled(status=status) if number > 1 else Spoiled(status=200, body=b"3.17.2")
    assert said(outs) == words


@pytest.mark.parametrize(("body", "words"), [
    (b"2.22.1", "it is MLflow 2.22.1, which is too old. It has to be MLflow 3 or newer."),
    (b"<html>A web page</html>", "what answers there is no MLflow server."),
])
def test_what_answers_is_something_else(spoiled: Proxy, outs: Path, body: bytes, words: str) -> None:
    spoiled.spoil = lambda *_: Spoiled(status=200, body=body)
    assert said(outs) == words
    assert spoiled.count == 1


def test_a_disk_that_is_full_is_said_whatever_the_status(outs: Path, spoiled: Proxy) -> None:
    body = b'{"error_code": "INTERNAL_ERROR", "message": "[Errno 28] No space left on device"}'
    spoiled.spoil = lambda number, *_: Spoiled(status=400, body=body) if number > 1 else Spoiled(status=404)
    assert said(outs) == "its disk is full. Free some space there."


def test_a_server_that_never_answers_costs_seconds(spoiled: Proxy, outs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "ASKING", 1)
    spoiled.spoil = lambda *_: Spoiled(wait=3)
    begun = time.monotonic()
    assert said(outs) == ("it does not answer in time. If it is only slow, raise MLFLOW_HTTP_REQUEST_TIMEOUT "
                          "(seconds).")
    assert time.monotonic() - begun < 10


def test_a_connection_that_breaks_is_said(spoiled: Proxy, outs: Path) -> None:
    spoiled.spoil = lambda *_: Spoiled()
    assert said(outs) == "it broke off in the middle."


def test_a_name_that_nobody_has_is_said(outs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://anna:secret@mlflow.invalid")
    assert said(outs) == ("it does not answer: there is no machine of that name. Look for a typing error in "
                          "MLFLOW_TRACKING_URI.")


def test_https_where_there_is_http(spoiled: Proxy, outs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", spoiled.url.replace("http:", "https:"))
    assert said(outs) == "it does not speak TLS there. Is its address http://, not https://?"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_certificate_that_nobody_knows(outs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl

    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate], check=True,
                   capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(("127.0.0.1", 0), Old) as secure:
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        threading.Thread(target=secure.serve_forever, daemon=True).start()
        try:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", f"https://localhost:{secure.server_address[1]}")
            assert said(outs) == ("its certificate is not trusted here. Name the file of who signed it in "
                                  "MLFLOW_TRACKING_SERVER_CERT_PATH.")
            monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
            assert said(outs) == "it is MLflow 2.9.2, which is too old. It has to be MLflow 3 or newer."
        finally:
            secure.shutdown()


class Old(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"2.9.2")

    def log_message(self, *_: object) -> None:
        pass


def test_who_asks_says_who_he_is(spoiled: Proxy, outs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "anna")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    spoiled.spoil = lambda *_: Spoiled(status=401)
    said(outs)
    assert spoiled.headers["Authorization"] == "Basic YW5uYTpzZWNyZXQ="


def test_a_stage_goes_on_whatever_the_variable_names(outs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://anna:secret@db/mlflow")
    words = attempt(outs)
    assert words.startswith("note: MLFLOW_TRACKING_URI is `postgresql://db/mlflow`, which is no MLflow server.")


def test_the_patience_of_a_sync_ends_with_it(spoiled: Proxy, outs: Path) -> None:
    spoiled.spoil = lambda *_: Spoiled(status=401)
    said(outs)
    assert "MLFLOW_HTTP_REQUEST_TIMEOUT" not in os.environ


def test_doctor_says_where_runs_go(spoiled: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    spoiled.spoil = lambda *_: Spoiled(status=200, body=b"3.17.2")
    assert list(place.examined()) == [
        ("ok", f"MLflow runs go to {spoiled.url}, experiment `trivium` (MLflow 3.17.2)")]
    spoiled.spoil = lambda *_: Spoiled(status=403)
    assert list(place.examined()) == [
        ("advice", f"MLflow runs go to {spoiled.url}, experiment `trivium`, but {REFUSED}")]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "/srv/mlruns")
    assert [grade for grade, _ in place.examined()] == ["wrong"]
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert list(place.examined()) == [("ok", "MLflow runs go to mlruns/")]


def test_the_store_of_this_folder_is_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for uri in ("sqlite:///mlruns/mlflow.db", f"sqlite:///{tmp_path}/mlruns/mlflow.db"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert server.address() is None


def test_large_files_get_more_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "weights").open("wb") as file:
        file.truncate(90_000_000)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    for path in (tmp_path, tmp_path / "weights"):
        with server.uploading(path):
            assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "120"
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "30"
