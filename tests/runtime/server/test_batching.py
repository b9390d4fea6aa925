"""Rows that come together are answered together, and none minds the others."""

import asyncio
import time
from typing import Any

import numpy as np
import pytest

from trivium.runtime.server.batching import Batcher
from trivium.runtime.server.limits import Limits, Refused


class Slow:
    """Answers with twice the number; at 13 it breaks down."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def answers(self, rows: list[dict[str, Any]]) -> tuple[np.ndarray, list[None], list[None]]:
        time.sleep(0.05)
        numbers = [row["x"] for row in rows]
        self.batches.append(numbers)
        if 13 in numbers:
            raise MemoryError
        return np.array([[2 * x] for x in numbers]), [None] * len(rows), [None] * len(rows)

    def told(self, stored: np.ndarray, warnings: list[None], errors: list[None]) -> dict[str, list[Any]]:
        return {"double": [int(one) for one in stored[:, 0]], "warning": warnings, "error": errors}


def run(work: Any, limits: Limits, watch: Any = None) -> tuple[Any, Slow, list[int]]:
    """What `work(batcher)` gives."""
    slow, sizes = Slow(), list[int]()

    async def all() -> Any:
        batcher = Batcher(slow, limits, sizes.append, watch)  # type: ignore[arg-type]
        task = asyncio.create_task(batcher.run())
        try:
            return await work(batcher)
        finally:
            task.cancel()

    return asyncio.run(all()), slow, sizes


def test_while_a_batch_is_at_work_the_next_one_gathers() -> None:
    async def work(batcher: Batcher) -> list[int]:
        asked = [asyncio.create_task(batcher.answer([{"x": x}])) for x in range(7)]
        return [(await one)[0]["double"] for one in asked]

    found, slow, sizes = run(work, Limits(batch=4))
    assert found == [0, 2, 4, 6, 8, 10, 12]
    assert slow.batches == [[0, 1, 2, 3], [4, 5, 6]] and sizes == [4, 3]


def test_a_row_that_breaks_down_costs_only_its_own_answer() -> None:
    async def work(batcher: Batcher) -> list[dict[str, Any]]:
        found = await asyncio.gather(*(batcher.answer([{"x": x}]) for x in (12, 13, 14)))
        return [one for own in found for one in own]

    found, *_ = run(work, Limits())
    assert [one.get("double") for one in found] == [24, None, 28]
    assert [one["error"] for one in found] == [None, "it cannot be answered (MemoryError)", None]


def test_a_full_queue_refuses() -> None:
    async def work(batcher: Batcher) -> Refused:
        first = asyncio.create_task(batcher.answer([{"x": 1}, {"x": 2}]))
        await asyncio.sleep(0)
        with pytest.raises(Refused) as refused:
            await batcher.answer([{"x": 3}])
        await first
        assert (await batcher.answer([{"x": 3}]))[0]["double"] == 6  # there is room again
        return refused.value

    found, *_ = run(work, Limits(queue=2))
    assert (found.status, found.reason, found.again) == (429, "queue", 1)


def test_who_watches_sees_rows_and_answers_and_cannot_cost_any() -> None:
    seen = []

    def watch(rows: Any, answers: Any) -> None:
        seen.append(([row["x"] for row in rows], answers[:, 0].tolist()))
        raise OSError("the disk is full")

    found, *_ = run(lambda batcher: batcher.answer([{"x": 1}, {"x": 2}]), Limits(), watch)
    assert [one["double"] for one in found] == [2, 4] and seen == [([1, 2], [2, 4])]
