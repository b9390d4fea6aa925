"""Progress with rate and time left: a bar on a terminal, a line every few seconds elsewhere, nothing from a worker."""

from __future__ import annotations

import math
import multiprocessing
import shutil
import sys
from collections.abc import Iterable, Iterator
from threading import RLock
from typing import Any, TypeVar

from tqdm.std import tqdm

from trivium.settings import told

Item = TypeVar("Item")
EVERY = 5.0  # seconds between lines where there is no terminal
REST = "{percentage:3.0f}%  {rate_noinv_fmt}  {remaining} left{postfix}"
UNKNOWN = "{desc}: {count}  {rate_noinv_fmt}{postfix}"  # how much there is in all


class _Bar(tqdm):  # type: ignore[type-arg]  # not generic when it runs
    monitor_interval = 0  # no thread, which a fork would lose
    known = f"{{desc}}: [{{bar:20}}] {REST}"

    @property
    def format_dict(self) -> dict[str, Any]:
        """With `count`, for `UNKNOWN`: of whole things without decimals."""
        found, unit = dict(super().format_dict), str(self.unit).strip()
        many = "" if self.n == 1 or unit.endswith("s") else "s"
        found["count"] = f"{self.format_sizeof(self.n)} B" if unit == "B" else f"{int(self.n):,} {unit}{many}"
        return found


class _Lines(_Bar):
    known = f"{{desc}}: {REST}"

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        print(self if self.n or self.total else f"{self.desc}: at work", file=self.fp, flush=True)
        return True

    def close(self) -> None:
        self.leave, self.sp = False, None  # nothing to end or to clear
        super().close()


_Bar.set_lock(RLock())  # not one for other processes, which show nothing


class Progress:
    """Counts work up to `total` `unit`s; `note` is shown behind the rate. Use as a context manager."""

    def __init__(self, title: str, total: float, unit: str = "it") -> None:
        self.total, self.done = total, 0.0
        kind: type[_Bar] = _Lines
        where: dict[str, float] = {"mininterval": EVERY, "delay": EVERY, "ncols": 999, "nrows": 2}
        if sys.stderr.isatty():
            columns, rows = shutil.get_terminal_size()  # tqdm shows nothing on one that does not tell its size
            kind, where = _Bar, {"ncols": columns - 1, "nrows": rows}
        self._bar: Any = kind(
            desc=told.plain(title), unit=f" {unit}", unit_scale=True, file=told.inner(sys.stderr), smoothing=0,
            ascii=" #", miniters=0, disable=multiprocessing.parent_process() is not None, **self._size(0.0, kind),
            **where)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the bar's line, so that what is printed next has one of its own; of no work, nothing stays."""
        self._bar.leave = self._bar.leave and self.done > 0
        self._bar.close()

    def add(self, amount: float = 1.0, note: str = "") -> None:
        self.at(self.done + amount, note)

    def at(self, done: float, note: str = "") -> None:
        """Say that `done` units in all are done."""
        self.done = done
        for key, value in self._size(done, self._bar).items():
            setattr(self._bar, key, value)
        if note:
            self._bar.set_postfix_str(told.plain(note), refresh=False)
        self._bar.update(done - self._bar.n)

    def _size(self, done: float, bar: Any) -> dict[str, Any]:
        """How much there is, which may be an estimate, and what can be said with it."""
        if math.isinf(self.total):
            return {"total": None, "bar_format": UNKNOWN}
        return {"total": max(self.total, done), "bar_format": bar.known}


def track(items: Iterable[Item], title: str, total: int, unit: str = "it") -> Iterator[Item]:
    """`items`, one by one, with progress."""
    with Progress(title, total, unit) as progress:
        for item in items:
            yield item
            progress.add()
