"""Progress with rate and time left: a bar on a terminal, a line every few seconds elsewhere, nothing from a worker."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
EVERY = 5.0  # seconds between lines where there is no terminal


class Progress:
    """Counts work up to `total` `unit`s; `note` is shown behind the rate. Use as a context manager."""

    def __init__(self, title: str, total: float, unit: str = "it") -> None:
        self.title, self.total, self.unit = title, total, unit
        self.done, self.note = 0.0, ""
        self._started = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._shown = self._started if not self._terminal else 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the bar's line, so that what is printed next has one of its own."""
        if self._terminal:
            self._show("\n")

    def add(self, amount: float = 1.0, note: str = "") -> None:
        self.at(self.done + amount, note)

    def at(self, done: float, note: str = "") -> None:
        """Say that `done` units in all are done."""
        self.done, self.note = done, note or self.note
        now = time.monotonic()
        if now - self._shown >= (0.1 if self._terminal else EVERY):
            self._shown = now
            self._show("" if self._terminal else "\n")

    def _show(self, end: str) -> None:
        if multiprocessing.parent_process():  # two bars would overwrite each other
            return
        seconds = max(time.monotonic() - self._started, 1e-9)
        rate = self.done / seconds
        left = max(0.0, self.total - self.done) / rate if rate > 0 else float("inf")
        share = min(1.0, self.done / self.total) if self.total else 1.0  # a total may be an estimate
        speed = f"{rate:,.{0 if rate >= 10 else 1}f} {self.unit}/s"
        bar = f"[{'#' * int(20 * share):<20}] " if self._terminal else ""
        start, rest = ("\r", "\x1b[K") if self._terminal else ("", "")  # the rest of a longer line before is cleared
        print(f"{start}{self.title}: {bar}{share:4.0%}  {speed}  {_clock(left)} left  {self.note}{rest}",
              end=end, file=sys.stderr, flush=True)


def track(items: Iterable[Item], title: str, total: int, unit: str = "it") -> Iterator[Item]:
    """`items`, one by one, with progress."""
    with Progress(title, total, unit) as progress:
        for item in items:
            yield item
            progress.add()


def _clock(seconds: float) -> str:
    if seconds == float("inf"):
        return "--:--"
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
