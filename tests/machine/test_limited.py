import signal
from collections.abc import Iterator

import pytest

from tests import fragile
from trivium.machine import limited
from trivium.machine.workers import processes


def lengths(values: list[str]) -> list[str | int]:
    """What comes of each, three in a task."""
    tasks: Iterator[tuple] = (("title", values[at: at + 3]) for at in range(0, len(values), 3))
    with processes(2, clean=True, begin=None) as run:
        found = limited.each(run, fragile.odd, tasks, lambda why: {"characters": why})
        return [one["characters"] for _, results in found for one in results]


def test_a_decoder_that_dies_costs_its_value_only() -> None:
    assert lengths(["a", "bb", "segfault", "ccc", "a", "b", "c", "segfault"]) == [
        1, 2, limited.CRASHED, 3, 1, 1, 1, limited.CRASHED]


@pytest.mark.parametrize("what, limit, seconds, why", [
    ("computes", "COMPUTING", 0.5, "takes longer than 0.5 s of computing to decode"),
    ("waits", "WAITING", 1.5, "takes longer than 1.5 s to decode")])
def test_a_decoder_that_does_not_end_costs_its_value_only(monkeypatch: pytest.MonkeyPatch, what: str, limit: str,
                                                          seconds: float, why: str) -> None:
    monkeypatch.setattr(limited, limit, seconds)
    assert lengths(["a", what, "bb", "ccc", "dddd"]) == [1, why, 2, 3, 4]


def test_each_value_has_the_time_for_itself_and_what_comes_after_has_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "WAITING", 1.5)
    with processes(1, clean=True, begin=None) as run:
        task = ("title", ["0.4"] * 5)
        (_, results), = limited.each(run, sleeps, [task], lambda why: why)
        assert results == ["0.4"] * 5
        assert [found for _, found in run(left, [signal.ITIMER_REAL, signal.ITIMER_PROF])] == [(0.0, 0.0)] * 2


def sleeps(task: tuple) -> list[str]:
    for value in task[-1]:
        fragile.time.sleep(float(value))
    return list(task[-1])


def left(timer: int) -> tuple[float, float]:
    return signal.getitimer(timer)
