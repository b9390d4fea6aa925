"""The forms of data that `trivium import` reads: one file and one entry each.

`WORDS` says what it is, `knows` whether a source has this form, and `rows` reads it, one row after the other.
"""

from __future__ import annotations

from typing import Protocol

from trivium.importing.asked import Asked, Rows
from trivium.importing.forms import boxes, folders, hub, lists, long, saved, subtitles, tables, webdataset


class Form(Protocol):
    WORDS: str

    def knows(self, asked: Asked) -> bool: ...

    def rows(self, asked: Asked) -> Rows:
        """Raises: UserError."""
        ...


FORMS: tuple[Form, ...] = (hub, saved, boxes, lists, long, tables, webdataset, subtitles, folders)  # the first reads
