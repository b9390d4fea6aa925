"""Work on a Ray cluster: the same results as on one machine, whatever happens to its nodes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest

from benchmarks.scale.nodes import Nodes, nodes
from tests import ray_works
from tests.ray_works import Chain
from trivium.machine import engines
from trivium.machine.engines import Needs, Task, cluster
from trivium.settings.errors import UserError

pytest.importorskip("ray")
pytestmark = pytest.mark.slow
NEEDS = Needs("auto", "cpu")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with nodes(tmp_path_factory.mktemp("nodes"), 2) as made:
        yield made


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(params=["shared disk", "no shared disk"])
def disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "no shared disk":
        unseen(monkeypatch)
    return str(request.param)


def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """No node sees the disk of this machine."""
    monkeypatch.setattr(cluster, "_marked", lambda orders: nullcontext())


def quiet(_: Sequence[int]) -> None:
    pass


def chains(here: Path, steps: int, pause: float) -> list[Chain]:
    return [Chain(name, steps, pause, here / "log") for name in "abcd"]


def ran(todo: Sequence[Chain], show: engines.Show = quiet) -> list[str]:
    tasks = [Task(one, Path("units") / one.name) for one in todo]
    return list(engines.chosen().run(ray_works.chain, tasks, NEEDS, show))


def left(here: Path) -> dict[str, str]:
    """Files that finished work has left, by path."""
    return {str(path.relative_to(here)): path.read_text() for path in sorted((here / "units").rglob("*"))
            if path.is_file()}


def test_results_and_files_are_those_of_the_work_in_the_order_of_the_tasks(two: Nodes, here: Path, disk: str) -> None:
    todo, shown = chains(here, 3, 0.2), list[list[int]]()
    assert ran(todo, lambda told: shown.append(list(told))) == [ray_works.expected(one) for one in todo]
    whole = {f"units/{one.name}/{name}": value for one in todo for name, value in (
        ("deep/made", ray_works.expected(one)), ("state", f"3 {ray_works.expected(one)}"))}
    assert left(here) == whole
    assert shown[-1] == [3, 3] * 4
    assert sorted(path.name for path in here.iterdir()) in ([".cache", "log", "units"], ["log", "units"])


def test_a_node_that_is_lost_costs_time_and_nothing_else(two: Nodes, here: Path, disk: str,
                                                         capsys: pytest.CaptureFixture[str]) -> None:
    two.add()
    todo, killed = chains(here, 16, 0.5), threading.Event()
    while two.cluster.global_state.cluster_resources().get("CPU", 0) < 3:
        time.sleep(0.2)

    def kill(told: Sequence[int]) -> None:
        if 3 <= told[4] < 10 and not killed.is_set():  # the third is at work, wherever that is
            killed.set()
            [pid] = [int(pid) for name, pid, _ in begun() if name == "c"]
            two.kill(two.of(pid))

    def begun() -> list[list[str]]:
        return [line.split() for line in (here / "log").read_text().splitlines()]

    assert ran(todo, kill) == [ray_works.expected(one) for one in todo]
    assert killed.is_set()
    assert "was lost" in capsys.readouterr().out
    again = [int(first) for name, _, first in begun() if name == "c"]
    assert len(begun()) == 5 and again[0] == 0
    assert again[1] >= 3 if disk == "shared disk" else again[1] == 0
    assert not list((here / "units").glob("*.part"))


def test_a_node_that_joins_late_gets_work(two: Nodes, here: Path) -> None:
    def join(told: Sequence[int]) -> None:
        if len(two.nodes) == before and told[0] >= 1:
            two.add()

    before = len(two.nodes)
    todo = [Chain(f"{k}", 8, 0.5, here / "log") for k in range(10)]
    assert ran(todo, join) == [ray_works.expected(one) for one in todo]
    alive = {line.split()[1] for line in (here / "log").read_text().splitlines()}
    assert len(alive) == 3


def test_files_are_sent_once_to_each_node(two: Nodes, here: Path, monkeypatch: pytest.MonkeyPatch,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    unseen(monkeypatch)
    (here / "data").mkdir()
    (here / "data/a").write_text("what is in it")
    (here / "data/b").write_text("what is in it")
    tasks = [Task(f"data/{name}", here / "units" / str(k)) for k, name in enumerate("abab")]
    where = engines.chosen().run(ray_works.read, tasks, Needs("auto", "cpu", [Path("data")]), quiet)
    assert {(here / "units" / str(k) / "copy").read_text() for k in range(4)} == {"what is in it"}
    assert str(here) not in where
    assert all(Path(one, "data/a").samefile(Path(one, "data/b")) for one in where)
    assert sorted(capsys.readouterr().out.split("\n")) == ["", *["reading data/a"] * 2, *["reading data/b"] * 2]


def test_a_node_without_the_data_is_named(two: Nodes, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unseen(monkeypatch)
    needs = Needs("auto", "cpu", [Path("/nowhere/weights")])
    with pytest.raises(UserError, match=r"The node 127\.0\.0\.1 has no /nowhere/weights, which params\.yaml names: "):
        engines.chosen().run(ray_works.read, [Task("x", here / "units/x")], needs, quiet)


def test_what_people_can_mend_is_said_as_on_one_machine(two: Nodes, here: Path) -> None:
    with pytest.raises(UserError, match=r"^the second one failed \(This was on the node 127\.0\.0\.1\.\)$"):
        engines.chosen().run(ray_works.refuse, [Task("the second one failed", here / "units/x")], NEEDS, quiet)


def test_a_mistake_of_ours_keeps_its_kind(two: Nodes, here: Path) -> None:
    with pytest.raises(ZeroDivisionError, match="a mistake of ours"):
        engines.chosen().run(ray_works.fail, [Task("", here / "units/x")], NEEDS, quiet)


def test_work_that_always_kills_its_process_is_given_up(two: Nodes, here: Path) -> None:
    with pytest.raises(UserError, match=r"A unit was lost 5 times with its process or its node \(WorkerCrashedError\)"):
        engines.chosen().run(ray_works.die, [Task("", here / "units/x")], NEEDS, quiet)


@pytest.mark.parametrize(("name", "mine", "said"), [
    ("Trivium", "00000000", "has other code of Trivium"),
    ("torch", "1.0", "and this machine 1.0, which may give other results: install torch 1.0 there"),
    ("no-such-package", "2.0", r"has no no-such-package: install there what this machine has \(no-such-package 2\.0;"),
])
def test_a_node_with_another_version_says_so(two: Nodes, here: Path, monkeypatch: pytest.MonkeyPatch, name: str,
                                             mine: str, said: str) -> None:
    engine = cluster.at(two.address)
    monkeypatch.setattr(engine, "_wanted", engine._wanted | {name: mine})
    with pytest.raises(UserError, match=rf"The node 127\.0\.0\.1 {'.*' if name == 'torch' else ''}{said}"):
        engine.run(ray_works.read, [Task("x", here / "units/x")], NEEDS, quiet)


def test_there_is_no_gpu_in_a_cluster_without_one(two: Nodes) -> None:
    engine = engines.chosen()
    assert (engine.device("auto"), engine.device("cpu")) == ("cpu", "cpu")
    with pytest.raises(UserError, match=r"`loop\.device: cuda`, and the Ray cluster at 127\.0\.0\.1:\d+ has no GPU"):
        engine.device("cuda")
