"""Rows that arrive together are answered together: while a batch is at work, the next one gathers.

One thread answers, with one thread of onnxruntime: two would be slower for models of this size. A row's answer does not
depend on which rows it was answered with.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from trivium.runtime.answering import Answering
from trivium.runtime.server.limits import Limits, Refused

Answer = dict[str, Any]  # what `Answering.table` has of a row
Watch = Callable[[Sequence[dict[str, Any]], np.ndarray], None]  # rows as the model saw them; stored answers [B, A]


@dataclass(eq=False)
class Asked:
    rows: list[dict[str, Any]]
    done: asyncio.Future[list[Answer]]
    watched: bool


class Batcher:
    """answering: what answers;  sizes: is told how large each batch is;  watch: is told the rows of each batch that
    have answers, in the thread that answers.
    """

    def __init__(self, answering: Answering, limits: Limits, sizes: Callable[[int], None] = lambda count: None,
                 watch: Watch | None = None) -> None:
        self.answering, self.limits, self.sizes, self.watch = answering, limits, sizes, watch
        self.waiting: deque[Asked] = deque()
        self.queued = 0  # rows
        self._news = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "answers")

    async def answer(self, rows: list[dict[str, Any]], watched: bool = True) -> list[Answer]:
        """In the order of `rows`. watched: whether `watch` is told of them. Raises: Refused (the queue is full)."""
        if self.queued and self.queued + len(rows) > self.limits.queue:
            raise Refused(429, "queue", f"{self.queued:,} rows wait already. Try again in a second.", again=1)
        asked = Asked(rows, asyncio.get_running_loop().create_future(), watched)
        self.queued += len(rows)
        self.waiting.append(asked)
        self._news.set()
        try:
            return await asked.done
        finally:
            if asked in self.waiting:  # the client is gone
                self.waiting.remove(asked)
                self.queued -= len(rows)

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._news.wait()
            self._news.clear()
            while self.waiting:
                batch = self._next()
                rows = [(row, asked.watched) for asked in batch for row in asked.rows]
                self.sizes(len(rows))
                try:
                    answers = await loop.run_in_executor(self._thread, self._together, rows)
                finally:
                    self.queued -= len(rows)
                for asked in batch:
                    own, answers = answers[:len(asked.rows)], answers[len(asked.rows):]
                    if not asked.done.done():
                        asked.done.set_result(own)

    def _next(self) -> list[Asked]:
        found, count = [self.waiting.popleft()], 0
        count = len(found[0].rows)
        while self.waiting and count + len(self.waiting[0].rows) <= self.limits.batch:
            found.append(self.waiting.popleft())
            count += len(found[-1].rows)
        return found

    def _together(self, rows: list[tuple[dict[str, Any], bool]]) -> list[Answer]:
        """rows: each with whether it is watched."""
        try:
            return self._table(rows)
        except Exception:  # one of them is worse than anybody thought: the others shall have their answers
            return [self._alone(row) for row in rows]

    def _table(self, given: list[tuple[dict[str, Any], bool]]) -> list[Answer]:
        rows = [row for row, _ in given]
        stored, warnings, errors = self.answering.answers(rows)
        columns = self.answering.told(stored, warnings, errors)
        if self.watch is not None:
            good = [k for k, error in enumerate(errors) if error is None and given[k][1]]
            with contextlib.suppress(Exception):  # watching must not cost an answer
                self.watch([rows[k] for k in good], stored[good])
        return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]

    def _alone(self, row: tuple[dict[str, Any], bool]) -> Answer:
        try:
            return self._table([row])[0]
        except Exception as error:
            return {"warning": None, "error": f"it cannot be answered ({type(error).__name__})"}
