"""Several processes behind one port answer as one would, and outlive each other."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.runtime.server.served import PATIENCE, Served, serving
from tests.serving.export.exported import NAME, project
from trivium.cli.export import export
from trivium.runtime.server.supervisor import Supervisor, Worker
from trivium.runtime.server.told import Told

pytest.importorskip("onnxscript")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = project(tmp_path_factory.mktemp("project"))
    export(root, NAME, None, small=False)
    return root / "exports" / NAME


def children(served: Served) -> list[psutil.Process]:
    return psutil.Process(served.process.pid).children()


def until(true: object, seconds: float = PATIENCE) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:  # type: ignore[operator]
        time.sleep(0.05)
    return bool(true())  # type: ignore[operator]


def connections(process: psutil.Process) -> int:
    return sum(one.status == psutil.CONN_ESTABLISHED for one in process.net_connections("tcp"))


def answers(served: Served) -> float:
    found = re.search(r'trivium_requests_total{status="200"} ([\d.]+)', served.get("/metrics")[1])
    return float(found[1]) if found else 0.0


def test_connections_are_shared_out_and_the_counts_are_of_all_workers(folder: Path) -> None:
    with serving(folder, "--workers", "2") as made:
        clients = [made.open() for _ in range(10)]
        assert until(lambda: [connections(one) for one in children(made)] == [5, 5])
        for client in clients:
            client.close()
        assert until(lambda: [connections(one) for one in children(made)] == [0, 0])
        for _ in range(7):
            assert made.ask([{"text": "anna"}])[0] == 200
        assert {answers(made) for _ in range(4)} == {7.0}


def test_a_worker_that_dies_is_replaced_while_the_others_answer(folder: Path) -> None:
    with serving(folder, "--workers", "2") as made:
        assert made.ask([{"text": "anna"}])[0] == 200
        before = {one.pid for one in children(made)}
        os.kill(min(before), signal.SIGKILL)
        assert until(lambda: min(before) not in {one.pid for one in children(made)})
        assert all(made.ask([{"text": "anna"}])[0] == 200 for _ in range(10))
        clients = [made.open() for _ in range(4)]  # the new one shall have its share of them
        assert until(lambda: len(children(made)) == 2)
        new, = {one.pid for one in children(made)} - before
        assert until(lambda: made.ask([{"text": "anna"}])[0] == 200 and answers(made) > 11)
        for client in clients:
            client.close()
        more = [made.open() for _ in range(20)]

        def shared() -> bool:
            more.append(made.open())
            return connections(psutil.Process(new)) > 0

        assert until(shared)
        for client in more:
            client.close()
        assert made.stop() == 0
        assert made.process.stdout is not None
        assert "A worker ended (-9). Another one takes its place." in made.process.stdout.read()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_all_workers_finish_what_was_begun_and_none_is_left(folder: Path, sig: signal.Signals) -> None:
    with serving(folder, "--workers", "2") as made:
        own, found = children(made), list[bytes]()
        body = json.dumps([{"text": "anna"}]).encode()
        clients = [made.open() for _ in range(4)]
        for client in clients:
            client.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(body) + body[:-5])
        time.sleep(0.3)  # the requests have begun, on both
        made.process.send_signal(sig)
        time.sleep(0.3)
        for client in clients:
            client.sendall(body[-5:])
            found.append(client.recv(15))
            client.close()
        assert found == 4 * [b"HTTP/1.1 200 OK"]
        assert made.process.wait(timeout=5) == 0
        assert len(own) == 2 and not any(one.is_running() for one in own)


def test_a_request_that_does_not_end_is_not_waited_for(folder: Path) -> None:
    with serving(folder, "--workers", "2", "--drain-seconds", "1") as made, made.open() as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                       b"Content-Length: 9\r\n\r\n[")
        time.sleep(0.3)
        begun = time.monotonic()
        assert made.stop() == 0 and time.monotonic() - begun < 8


def test_a_second_ctrl_c_does_not_wait(folder: Path) -> None:
    with serving(folder, "--workers", "2", "--drain-seconds", "40", "--body-seconds", "40") as made:
        clients = [made.open() for _ in range(2)]
        for client in clients:
            client.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                           b"Content-Length: 9\r\n\r\n[")
        time.sleep(0.3)
        own = children(made)
        made.process.send_signal(signal.SIGINT)
        time.sleep(1)
        assert len(own) == 2 and all(one.is_running() for one in own)
        made.process.send_signal(signal.SIGINT)
        assert made.process.wait(timeout=5) == 0 and not any(one.is_running() for one in own)


def test_workers_run_the_code_of_the_process_that_started_them(folder: Path, tmp_path: Path) -> None:
    """And not another `trivium` that lies in the current folder, as in an exported one."""
    (tmp_path / "trivium").mkdir()
    (tmp_path / "trivium/__init__.py").write_text("raise SystemExit('the wrong one')\n")
    code = ("import sys; sys.path[:] = sys.argv.pop().split(':')\n"
            "from trivium.runtime.server.__main__ import main; main(sys.argv[1:])")
    place = ":".join(filter(None, sys.path))
    command = [sys.executable, "-c", code, str(folder), "--port", "0", "--workers", "2", place]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert " answers at http://" in process.stdout.readline()
        process.terminate()
        assert process.wait(timeout=PATIENCE) == 0


def test_workers_end_with_the_process_that_started_them(folder: Path) -> None:
    with serving(folder, "--workers", "2") as made:
        own = children(made)
        made.process.kill()
        assert until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in own), 15)


def test_a_worker_that_has_ended_is_not_waited_for_twice() -> None:
    """A signal that comes just then does not take the exit code away: asyncio would say that it knows no such child."""
    async def told() -> int:
        supervisor = Supervisor(Told.model_construct(), socket.socket(), 1, lambda: None)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "raise SystemExit(7)")
        mine, its = socket.socketpair()
        supervisor.workers.add(Worker(process, mine))
        its.close()
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)  # the loop does not hear of it
        supervisor._signal(signal.SIGTERM)
        mine.close()
        supervisor.listening.close()
        return await process.wait()

    asyncio.set_child_watcher(watcher := asyncio.PidfdChildWatcher())  # which looks only when the loop does
    try:
        assert asyncio.run(told()) == 7
    finally:
        watcher.close()
        asyncio.set_child_watcher(None)


def test_what_no_worker_can_use_is_said_once(folder: Path, tmp_path: Path) -> None:
    def said(*words: str) -> str:
        done = subprocess.run([sys.executable, "-m", "trivium.runtime.server", str(folder), "--port", "0", *words],
                              capture_output=True, text=True, timeout=PATIENCE,
                              env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
        assert done.returncode == 1 and done.stdout == ""
        return " ".join(done.stderr.split())

    assert said("--workers", "2", "--int8") == (
        f"There is no model.int8.onnx in {folder}: `trivium export NAME --int8` makes it.")
    assert said("--workers", "two") == "--workers is auto or a number from 1 to 64, not 'two'."
    assert said("--workers", "0") == "--workers is auto or a number from 1 to 64, not '0'."


def test_workers_write_one_log_in_whole_lines(folder: Path, tmp_path: Path) -> None:
    with serving(folder, "--workers", "2", "--log", str(tmp_path / "log")) as made:
        asking = [threading.Thread(target=made.ask, args=([{"text": "anna"}] * 30,)) for _ in range(8)]
        for one in asking:
            one.start()
        for one in asking:
            one.join()
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 240 and {json.loads(line)["streams"]["text"]["words"] for line in lines} == {1.0}


def test_a_full_log_is_moved_away_once_however_many_write(tmp_path: Path) -> None:
    """Each line is 10 bytes, and 10 of them fill a log: of 1,605 lines the last 5 are in it, and 10 in the other."""
    log, go = tmp_path / "log", tmp_path / "go"
    code = ("import sys; from pathlib import Path; from trivium.runtime.watch import append\n"
            "while not Path(sys.argv[2]).exists(): pass\n"
            "for k in range(321): append(Path(sys.argv[1]), b'%s %07d\\n' % (sys.argv[3].encode(), k), 100)")
    writers = [subprocess.Popen([sys.executable, "-c", code, str(log), str(go), name],
                                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}) for name in "abcde"]
    time.sleep(2)
    go.touch()
    assert [one.wait(timeout=PATIENCE) for one in writers] == 5 * [0]
    kept = {name: (tmp_path / name).read_text().splitlines() for name in ("log", "log.1")}
    assert {name: len(lines) for name, lines in kept.items()} == {"log": 5, "log.1": 10}
    assert all(re.fullmatch(r"[abcde] \d{7}", line) for lines in kept.values() for line in lines)


def test_a_line_that_does_not_fit_on_the_disk_leaves_nothing_of_itself(tmp_path: Path) -> None:
    code = ("import resource, signal, sys; from pathlib import Path; from trivium.runtime.watch import append\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (15, 15))\n"
            "for _ in range(2): append(Path(sys.argv[1]), b'123456789\\n', 1000)")
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "log")], timeout=PATIENCE, check=True,
                   env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    assert (tmp_path / "log").read_bytes() == b"123456789\n"
