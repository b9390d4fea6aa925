"""What an import is asked to do, and what the cells of its rows may be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trivium.data.cut import Cut
from trivium.modalities.media import place

CACHE = Path(".cache/urls")


@dataclass(frozen=True)
class Asked:
    """source: what somebody typed.  into: the folder that is written.  media: where files may lie, besides beside the
    table.  boxes: a row for each box of a picture.  private: whether addresses of private networks may be asked.
    label: the column of what is to be predicted, where somebody says it.
    key, time: columns of a long table: which recording a row is of, and when it is.  window, step: seconds of the parts
    that recordings are cut into, and from one to the next; 0: none, and as long as the window.
    whole: whether a recording that stands alone stays in one piece, since nothing is to be split.
    look: whether it is only looked at, so that no more media are written than a look needs.  foreign: whether it came
    from elsewhere, so that its cells may name no file of this machine.  notes: what is said.
    cuts: of recordings into stretches.
    """

    source: str
    into: Path
    media: Path | None = None
    boxes: bool = False
    private: bool = False
    label: str = ""
    key: str = ""
    time: str = ""
    window: float = 0.0
    step: float = 0.0
    whole: bool = False
    look: bool = False
    foreign: bool = False
    cache: Path = CACHE
    notes: list[str] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return Path(self.source)

    def of(self, source: str | Path) -> Asked:
        """The same of another source; notes go to the same list."""
        return replace(self, source=str(source))

    def note(self, words: str) -> None:
        self.notes.append(words)


@dataclass(frozen=True)
class Inline:
    """A file that lies in the table itself. name: what it was called, if anybody knows."""

    content: bytes
    name: str = ""


@dataclass(frozen=True)
class Member:
    """A file in an archive, which stays there. kind: `zip` or `tar`."""

    archive: Path
    kind: str
    name: str


Cell = Any  # str | int | float | bool | None | a list of these | Inline | Member | Path (a file where it lies)
Row = dict[str, Cell]
Rows = Iterator[Row]


def seen(path: Path, into: Path) -> str:
    """The place of a file as a table in the folder `into` names it: from there where both are in the working folder,
    so that they can move together; else in full.
    """
    here, there, home = (os.path.realpath(one) for one in (Path(), into, path.parent))
    if all(os.path.commonpath([here, one]) == here for one in (there, home)):
        return os.path.relpath(os.path.join(home, path.name), there).replace(os.sep, "/")
    return os.path.abspath(path).replace(os.sep, "/")


def address(member: Member, into: Path) -> str:
    return str(place.Place(seen(member.archive, into), member.kind, member.name))
