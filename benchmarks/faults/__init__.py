"""What machines and people do to a run, done to it on purpose: and what is left of it.

Each kind of fault is one file here, which has

    def campaign(repetitions: int, folder: Path, seed: int) -> dict[str, Kind | Mapping]:
        '''repetitions: how many trials, of each stage, damage, ... as the file sees fit.  folder: an empty one.
        seed: of what is drawn.  Returns name of the kind -> what was found.'''

and may say how many repetitions a full campaign has, `FULL = 40` (200 where it says nothing). `project` makes the
small project that trials run in, `forks` runs one stage after another in processes that have everything loaded.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

FULL = 200
EVERY = 10.0  # seconds between two lines on how far it is


class Kind(BaseModel):
    """One kind of fault. survived: after how many of those `tried` nothing was lost.  what: in words, for the table."""

    model_config = ConfigDict(extra="forbid")

    tried: int
    survived: int
    what: str


class Tally:
    """Counts trials of one kind, and prints at once what was lost. begun: all so far"""

    begun: ClassVar[list[Tally]] = []
    said: ClassVar[float] = 0.0  # when somebody was last told how far it is

    def __init__(self, name: str, what: str) -> None:
        self.begun.append(self)
        self.name, self.what, self.tried, self.survived = name, what, 0, 0

    def add(self, lost: str, where: str) -> None:
        """lost: what went wrong, in words; "" where nothing did.  where: which trial, so that it can be had again."""
        self.tried += 1
        self.survived += not lost
        if lost:
            print(f"{self.name}, {where}: LOST: {lost}", file=sys.stderr, flush=True)
        if time.monotonic() - Tally.said > EVERY:
            Tally.said = time.monotonic()
            print(f"  {self.name}: {self.survived} of {self.tried} so far", flush=True)

    def kind(self) -> Kind:
        return Kind(tried=self.tried, survived=self.survived, what=self.what)


@dataclass(frozen=True)
class Fault:
    """A file of this folder. full: repetitions of a full campaign"""

    name: str
    campaign: Callable[[int, Path, int], Mapping[str, Kind | Mapping[str, Any]]]
    full: int

    def repetitions(self, asked: int) -> int:
        """What `asked`, of 200, comes to here."""
        return max(1, round(self.full * asked / FULL))


def faults() -> dict[str, Fault]:
    """By the name of the file: all files here that have a campaign."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name != "__main__":
            loaded = importlib.import_module(f"{__name__}.{module.name}")
            if hasattr(loaded, "campaign"):
                found[module.name] = Fault(module.name, loaded.campaign, getattr(loaded, "FULL", FULL))
    return found
