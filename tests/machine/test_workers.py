import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trivium.machine.workers import processes

WAITING = r"""
import os, time
from trivium.machine.workers import processes

def work(k):
    os.write(1, f"{os.getpid()}\n".encode())  # in one piece: two workers write
    time.sleep(600)

with processes(2) as run:
    list(run(work, [0, 1]))
"""


def alive(pid: int) -> bool:
    if Path("/proc/self/stat").exists():
        stat = Path(f"/proc/{pid}/stat")
        return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


def test_results_come_in_the_order_of_the_tasks() -> None:
    with processes(2) as run:
        assert list(run(len, ["a", "bbb", "", "cc"])) == [("a", 1), ("bbb", 3), ("", 0), ("cc", 2)]


def test_work_starts_before_anybody_asks_for_a_result(tmp_path: Path) -> None:
    with processes(1) as run:
        results = run(Path.touch, [tmp_path / "done"])
        deadline = time.monotonic() + 30
        while not (tmp_path / "done").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert (tmp_path / "done").exists()
        assert list(results) == [(tmp_path / "done", None)]


def test_no_more_tasks_are_read_than_workers_soon_need() -> None:
    tasks = iter(range(100))
    with processes(2) as run:
        results = run(abs, tasks)
        assert [next(results), next(tasks)] == [(0, 0), 5]


def test_workers_leave_when_their_parent_is_killed(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(WAITING)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    parent = subprocess.Popen([sys.executable, "script.py"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE,
                              text=True)
    assert parent.stdout is not None
    workers = [int(parent.stdout.readline()) for _ in range(2)]
    assert all(alive(pid) for pid in workers)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 30
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(alive(pid) for pid in workers)


def visible(folder: Path) -> str:
    """Takes until another worker has a task as well."""
    (folder / str(os.getpid())).touch()
    deadline = time.monotonic() + 60
    while len(list(folder.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    return os.environ["CUDA_VISIBLE_DEVICES"]


def test_each_worker_sees_one_gpu_of_its_parents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    with processes(2, gpus=2) as run:
        assert sorted(gpu for _, gpu in run(visible, [tmp_path, tmp_path])) == ["2", "5"]


class Group:
    """As a group of processes of torch is: whoever collects it waits for its threads."""

    def __init__(self, path: Path) -> None:
        self.me, self.path = self, path

    def __del__(self) -> None:
        self.path.write_text(str(os.getpid()))


def collected(_: int) -> int:
    gc.collect()
    return os.getpid()


def test_what_a_fork_took_over_is_not_collected_there(tmp_path: Path) -> None:
    gc.disable()
    try:
        Group(tmp_path / "by")
        with processes(1, gpus=0) as run:
            [(_, worker)] = run(collected, [0])
        assert worker != os.getpid() and not (tmp_path / "by").exists()
    finally:
        gc.enable()
        gc.collect()
    assert (tmp_path / "by").read_text() == str(os.getpid())
