"""The server as a process: what it answers, what it refuses, and that nobody is hurt by what others send."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from tests.runtime.server.served import Served, encoded, serving
from tests.serving.export.exported import NAME, project
from trivium.cli.export import export
from trivium.runtime.runner import Runner
from trivium.serving.drift import drift

pytest.importorskip("onnxscript")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an exported model; to be read only."""
    made = project(tmp_path_factory.mktemp("project"))
    export(made, NAME, None, small=False, docker=True)
    return made


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "exports" / NAME


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "answers.log"


@pytest.fixture(scope="module")
def served(folder: Path, log: Path) -> Iterator[Served]:
    with serving(folder, "--log", str(log), "--header-seconds", "2", "--body-seconds", "2", "--body-bytes", "400000",
                 "--rows", "40", "--pixels", "1000000", "--seconds", "20", "--characters", "1000") as made:
        yield made


def row(root: Path, k: int = 0) -> dict[str, str]:
    media = root / "data/raw/media"
    return {"text": f"anna {k}", "image": encoded(media / f"{k}.png"), "audio": encoded(media / f"{k}.wav")}


def close(found: dict, expected: dict) -> bool:
    return all(value == pytest.approx(expected[key], abs=1e-6) if isinstance(value, float) else value == expected[key]
               for key, value in found.items() if key != "id")


def expected(folder: Path, root: Path, *numbers: int) -> list[dict]:
    media = str(root / "data/raw/media")
    rows = [{"text": f"anna {k}", "image": f"{media}/{k}.png", "audio": f"{media}/{k}.wav"} for k in numbers]
    columns = Runner(folder).table(rows)
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def test_rows_are_answered_as_the_runner_does_in_their_order(served: Served, folder: Path, root: Path) -> None:
    status, found = served.ask([{"id": f"r{k}"} | row(root, k) for k in range(5)])
    assert status == 200 and found["strategy"] == NAME
    assert [one["id"] for one in found["answers"]] == ["r0", "r1", "r2", "r3", "r4"]
    assert all(map(close, found["answers"], expected(folder, root, *range(5))))
    status, alone = served.ask(row(root, 3))
    assert status == 200 and close(alone["answers"][0], expected(folder, root, 3)[0])


def test_a_bad_row_has_its_reason_and_the_others_their_answers(served: Served, root: Path) -> None:
    broken = row(root) | {"image": encoded(root / "data/raw/media/1.wav")}
    bad = [{"colour": "red"}, {"image": "/etc/passwd"}, {"text": 7 * ["x"]}, {"text": "x" * 1001},
           {"audio": 5}, {"text": "a", "start": "soon"}, {}]
    status, found = served.ask([row(root), *bad, broken, row(root) | {"colour": "red"}])
    answers = found["answers"]
    assert status == 200 and answers[0]["error"] is None and answers[0]["label"] in ("anna", "ben", "carla")
    assert [one["error"] for one in answers[1:8]] == [
        "the row has none of text, image, audio; it has colour",
        "image is not base64: send the content of a file, not its name",
        "text is to be a text",
        "text has 1,001 characters, and 1,000 are allowed",
        "audio is to be the content of a file, as base64",
        "start is no number of seconds",
        "the row has none of text, image, audio"]
    assert "image cannot be read" in answers[8]["error"]
    assert answers[9]["warning"] == "colour: not known here" and answers[9]["label"] == answers[0]["label"]


def test_nothing_but_bad_rows_is_422(served: Served) -> None:
    status, found = served.ask([{"colour": "red"}])
    assert status == 422
    assert found["answers"] == [{"warning": None, "error": "the row has none of text, image, audio; it has colour"}]


def test_a_form_is_one_row(served: Served, folder: Path, root: Path) -> None:
    media = root / "data/raw/media"
    parts = []
    for name, file, content in (("text", "", b"anna 2"), ("image", "a.png", (media / "2.png").read_bytes()),
                                ("audio", "a.wav", (media / "2.wav").read_bytes())):
        said = f'; filename="{file}"' if file else ""
        parts.append(f'--X\r\nContent-Disposition: form-data; name="{name}"{said}\r\n\r\n'.encode() + content + b"\r\n")
    status, found = served.ask(b"".join(parts) + b"--X--\r\n", Content_Type="multipart/form-data; boundary=X")
    assert status == 200 and close(found["answers"][0], expected(folder, root, 2)[0])
    status, found = served.ask(b"--X\r\nnonsense", Content_Type="multipart/form-data; boundary=X")
    assert status in (400, 422)


def test_what_an_answer_rests_on(served: Served, folder: Path, root: Path, log: Path) -> None:
    """The log is told of the row that was asked, and of none without a stream."""
    before = len(log.read_text().splitlines()) if log.exists() else 0
    status, found = served.ask([row(root)], "/predict?explain=true")
    without = found["answers"][0]["without"]
    assert status == 200 and list(without) == ["text", "image", "audio"]
    media = str(root / "data/raw/media")
    columns = Runner(folder).table([{"text": "anna 0", "image": f"{media}/0.png"}])
    assert close(without["audio"], {key: values[0] for key, values in columns.items()})
    assert len(log.read_text().splitlines()) == before + 1


@pytest.mark.parametrize(("body", "headers", "status", "words"), [
    (b"{", {}, 400, "The body is not JSON"),
    (b"[" * 100_000, {}, 400, "The body is not JSON"),
    (b"\xff\xfe\x00", {}, 400, "The body is not JSON"),
    (b'"text"', {}, 422, "Send a list of rows"),
    (b"[]", {}, 422, "Send a list of rows"),
    (b'[{"text": "a"}, 1]', {}, 422, "Row 2 is no object"),
    (json.dumps([{"text": "a"}] * 41).encode(), {}, 413, "41 rows are more than the 40"),
    (b"x" * 400_001, {}, 413, "The body has more than 0.38147 MiB"),
    (b"text=a", {"Content_Type": "application/x-www-form-urlencoded"}, 415, "Send application/json"),
])
def test_what_is_no_request_is_refused_in_a_sentence(served: Served, body: bytes, headers: dict[str, str], status: int,
                                                     words: str) -> None:
    found, said = served.ask(body, **headers)
    assert found == status and said["error"].startswith(words)


def test_small_files_that_claim_to_be_huge_are_not_decoded(served: Served) -> None:
    import base64

    import soundfile
    from PIL import Image

    picture, sound = BytesIO(), BytesIO()
    Image.new("1", (1001, 1000)).save(picture, "PNG")
    soundfile.write(sound, np.zeros(21 * 8000), 8000, format="FLAC")
    given = [{"image": base64.b64encode(picture.getvalue()).decode()},
             {"audio": base64.b64encode(sound.getvalue()).decode()}]
    status, found = served.ask(given)
    assert status == 422
    assert [one["error"] for one in found["answers"]] == [
        "image has 1,001 x 1,000 pixels, and 1,000,000 are allowed", "audio is 21 s long, and 20 s are allowed"]


def test_a_body_without_end_is_cut_off_as_soon_as_it_is_too_long(served: Served) -> None:
    with served.open() as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                       b"Transfer-Encoding: chunked\r\n\r\n")
        piece, sent = b"%x\r\n" % 50_000 + b"x" * 50_000 + b"\r\n", 0
        try:
            while sent < 400:  # 20 MB, of which 0.4 are allowed
                client.sendall(piece)
                sent += 1
        except OSError:
            pass
        assert sent < 200


def test_slow_clients_are_cut_off_while_others_are_answered(served: Served, root: Path) -> None:
    """One that never ends its header, one that never ends its body, and a thousand who send nothing."""
    header, body = served.open(), served.open()
    silent = [served.open() for _ in range(200)]
    header.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\n")
    body.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n[")
    begun = time.monotonic()
    status, _ = served.ask([row(root)])
    assert status == 200 and time.monotonic() - begun < 2
    assert body.recv(4096).startswith(b"HTTP/1.1 408")
    for client in (header, *silent):
        assert closed(client)
    for client in (header, body, *silent):
        client.close()


def closed(client: socket.socket) -> bool:
    client.settimeout(10)
    try:
        return client.recv(4096) == b""
    except ConnectionResetError:
        return True


def test_more_connections_than_files_may_be_open_keep_nobody_out(folder: Path, root: Path) -> None:
    limited = ("bash", "-c", 'ulimit -n 320; exec "$@"', "_")
    with serving(folder, begin=limited) as made:
        silent = []
        for _ in range(600):
            silent.append(made.open())
        status, found = made.ask([row(root)])
        assert status == 200 and found["answers"][0]["error"] is None
        for client in silent:
            client.close()


def test_health_readiness_counts_and_docs(served: Served, root: Path) -> None:
    served.ask([row(root), {"colour": "red"}])
    assert served.get("/health") == (200, "alive") and served.get("/ready") == (200, "ready")
    status, text = served.get("/metrics")
    counts = dict(re.findall(r'^(trivium_\w+(?:\{[^}]*\})?) ([\d.]+)$', text, re.M))
    assert status == 200 and float(counts['trivium_requests_total{status="200"}']) >= 1
    assert float(counts['trivium_rows_total{outcome="answer"}']) >= 1
    assert float(counts['trivium_rows_total{outcome="error"}']) >= 1
    assert "trivium_request_seconds_count" in counts and "trivium_batch_rows_count" in counts
    status, text = served.get("/openapi.json")
    streams = json.loads(text)["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert status == 200 and set(streams["items"]["properties"]) == {"id", "text", "image", "audio", "start", "end"}
    assert served.get("/docs")[0] == 200 and served.get("/nowhere")[0] == 404
    assert served.get("/../../etc/passwd")[0] == 404


def test_the_log_has_statistics_of_rows_with_answers_and_no_raw_values(served: Served, folder: Path, root: Path,
                                                                       log: Path) -> None:
    before = len(log.read_text().splitlines()) if log.exists() else 0
    served.ask([{"text": "anna", "audio": row(root)["audio"]}, {"colour": "red"}])
    line, = log.read_text().splitlines()[before:]
    found = json.loads(line)
    assert found["streams"]["image"] == {"state": "missing"} and found["streams"]["text"]["characters"] == 4
    assert found["streams"]["audio"]["seconds"] == pytest.approx(0.2)
    assert "anna" not in json.dumps(found["streams"]) and "raw" not in found
    assert "rows are too few to tell" in drift(log, folder)[0]


def test_a_token_is_asked_for(folder: Path, root: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    with serving(folder, "--host", "0.0.0.0", "--token-file", str(tmp_path / "token")) as made:
        refused = (401, {"error": "Show the token: `Authorization: Bearer TOKEN`."})
        assert made.ask([row(root)]) == refused
        assert made.ask([row(root)], Authorization="Bearer secre") == refused
        assert made.get("/metrics")[0] == 401 and made.get("/health")[0] == 200
        assert made.ask([row(root)], Authorization="Bearer secret")[0] == 200


def test_sigterm_lets_what_was_begun_finish(folder: Path, root: Path) -> None:
    with serving(folder) as made:
        found: list[int] = []
        body = json.dumps([row(root, k % 20) for k in range(200)]).encode()
        head = ("POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        with made.open() as client:
            client.sendall(head.encode() + body[:-10])
            time.sleep(0.3)  # the request has begun
            stopping = threading.Thread(target=lambda: found.append(made.stop()))
            stopping.start()
            time.sleep(0.3)
            client.sendall(body[-10:])
            assert client.recv(15) == b"HTTP/1.1 200 OK"
            while client.recv(65536):
                pass
        stopping.join()
        assert found == [0]
        with pytest.raises(OSError):
            made.open()


def said(*words: str, **environment: str) -> str:
    import os

    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
    command = [sys.executable, "-m", "trivium.runtime.server", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def test_mistakes_are_said_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert said(str(folder), "--port", str(port)) == (
            f"Port {port} of 127.0.0.1 cannot be used: another program listens there. Name another one with --port.")
    assert said(str(folder), "--host", "0.0.0.0").startswith(
        "--host 0.0.0.0 can be reached by other machines, so that clients must show a token: set TRIVIUM_TOKEN")
    assert "is no exported model: there is no processors.json in it" in said(str(tmp_path))
    assert said(str(folder), "--log-raw") == "--log-raw says what goes into the log: name the log with --log."
    assert said(str(folder), "--rows", "0").startswith("--rows: Input should be greater than or equal to 1")
    (tmp_path / "empty").write_text("")
    assert "has no token in its first line" in said(str(folder), "--token-file", str(tmp_path / "empty"))


def test_the_folder_alone_serves_without_torch(folder: Path, root: Path, tmp_path: Path) -> None:
    """By the commands of its Dockerfile, with the code in it."""
    lines = (folder / "Dockerfile").read_text().splitlines()
    (command,) = (json.loads(line.removeprefix("CMD ")) for line in lines if line.startswith("CMD "))
    assert command[:4] == ["python", "-m", "trivium.runtime.server", "."]
    check = ("import sys, runpy; sys.argv = ['x', '.', '--rows', '0']\n"
             "try: runpy.run_module('trivium.runtime.server', run_name='__main__')\n"
             "except SystemExit: pass\n"
             "import trivium\n"
             "import trivium.runtime.server.app\n"
             "print(trivium.__file__, [m for m in ('torch', 'mlflow', 'pandas', 'pyarrow') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", check], cwd=folder, capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin"})
    assert done.stdout.strip() == f"{folder}/trivium/__init__.py []", done.stderr
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY")]
    assert copied == [["requirements.txt", "requirements-serve.txt"], ["."]]
    needs = (folder / "requirements-serve.txt").read_text().split()
    assert [one.split("==")[0] for one in needs] == ["fastapi", "prometheus-client", "python-multipart", "uvicorn"]
