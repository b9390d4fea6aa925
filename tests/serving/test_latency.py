"""Exported models are made and timed: small ones of a small project, by turns."""

import time
from pathlib import Path

import numpy as np
import pytest

from tests.serving.export.exported import NAME, project
from trivium.runtime.folder import GRAPH, INT8, PROCESSORS
from trivium.runtime.runner import Runner
from trivium.serving.export import graph
from trivium.serving.latency import graphs, timing

EXPORTS = pytest.mark.slow


def test_visits_are_spread_over_the_whole_run() -> None:
    assert timing.rounds([2, 1]) == [(0, 1), (1, 1), (0, 1)]
    made = timing.rounds([200, 5])
    assert sum(calls for case, calls in made if case == 0) == 200 and len([1 for case, _ in made if case == 0]) == 20
    places = [place for place, (case, _) in enumerate(made) if case == 1]
    assert len(places) == 5 and places[0] < 5 and places[-1] >= 20


@pytest.mark.parametrize(("seconds", "calls"), [(1e-6, 200), (0.01, 60), (0.3, 5), (9.0, 5)])
def test_what_is_slow_is_called_less_often(seconds: float, calls: int) -> None:
    assert timing.calls(seconds) == calls


def test_percentiles_that_few_calls_cannot_tell_are_left_out() -> None:
    times = [k / 1000 for k in range(1, 102)]  # 1 to 101 ms
    whole = timing.summary(8, 2, times)
    assert (whole.rows, whole.threads, whole.calls) == (8, 2, 101)
    assert (whole.p50_ms, whole.p95_ms, whole.p99_ms) == (51.0, 96.0, 100.0)
    few = timing.summary(1, 1, times[:19])
    assert (few.p50_ms, few.p95_ms, few.p99_ms) == (10.0, None, None)
    assert timing.summary(1, 1, times[:99]).p99_ms is None


def test_each_case_is_called_by_turns_and_often_enough() -> None:
    order: list[str] = []

    def case(name: str, seconds: float) -> timing.Answer:
        def answer(_: int) -> None:
            order.append(name)
            time.sleep(seconds)
        return answer

    slow, fast = timing.interleaved([case("slow", 0.05), case("fast", 0.0)], [12, 5])
    assert len(slow) == 12 and len(fast) == 200 and min(slow) >= 0.05
    second = order[len(order) // 2:]
    assert {"slow", "fast"} == set(second)


@EXPORTS
def test_a_strategy_is_exported_and_timed(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    root, folder = project(tmp_path / "project", samples=48), tmp_path / "made"
    made = graphs.write(root, NAME, folder)
    assert made.refused == "" and made.bytes == (folder / GRAPH).stat().st_size
    assert made.difference is not None and made.difference < 1e-5
    if made.small:
        assert made.small.bytes == (folder / INT8).stat().st_size and 0.8 <= made.small.same <= 1
    inputs, present = timing.samples(folder)
    assert len(present) == 64 and {len(x) for x in inputs.values()} == {64}
    found = timing.measure({NAME: folder})[NAME]
    assert [(one.rows, one.threads) for one in found.times[:3]] == [(1, 1), (8, 1), (64, 1)]
    one, many = found.of(1), found.of(64)
    assert one and many and 0 < one.p50_ms <= (one.p95_ms or 0) and one.p50_ms < many.p50_ms
    assert [one.rows for one in found.small] == ([1, 8, 64] if made.small else [])
    assert 0.05 < found.start_seconds < 60 and found.peak_memory_bytes > 30e6


@EXPORTS
def test_what_onnx_cannot_say_is_told_and_leaves_no_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript")

    def unsayable(model: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise graph.Unsayable("ONNX cannot say the operator `fold` of this model.")

    monkeypatch.setattr(graph, "write", unsayable)
    made = graphs.write(project(tmp_path / "project", samples=48), NAME, tmp_path / "made")
    assert made.refused == "ONNX cannot say the operator `fold` of this model." and made.bytes is None
    assert not (tmp_path / "made" / GRAPH).exists()


@EXPORTS
def test_a_graph_that_says_something_else_is_not_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript")
    computed = Runner.computed
    monkeypatch.setattr(Runner, "computed", lambda *given: np.roll(computed(*given), 1, axis=1))
    made = graphs.write(project(tmp_path / "project", samples=48), NAME, tmp_path / "made")
    assert made.refused.startswith("The exported model differs from the trained one by ")
    assert made.bytes is None and not (tmp_path / "made" / GRAPH).exists()
    assert (tmp_path / "made" / PROCESSORS).exists()
