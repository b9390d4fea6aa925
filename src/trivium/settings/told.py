"""What people read, with words of the data in it: nothing in these moves a cursor, makes a link or tells a password."""

from __future__ import annotations

import re
import sys
from typing import Any

LATER = "TRIVIUM_WARNS_LATER"  # set by a command that says the warnings of stages itself
CONTROL = re.compile(r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
PASSWORD = re.compile(r"(://)[^/\s@'\"<>`]{1,200}@")  # NAME:PASSWORD@ in an address
MARKS = re.compile(r"[\\`*\[\]<>|]")


def plain(text: str) -> str:
    """For a terminal or a log: control characters as signs (ESC is ␛), so that none takes effect; passwords of
    addresses as ***. Ends of lines and tabs stay.
    """
    return masked(CONTROL.sub(_sign, text))


def masked(text: str) -> str:
    """Without the names and passwords that stand in addresses."""
    return PASSWORD.sub(r"\1***@", text) if "://" in text else text


def markdown(text: str) -> str:
    """As text in Markdown, in one line: no HTML, picture, link or code, and no column of a table begins in it."""
    line = plain(" ".join(text.split()))
    return MARKS.sub(lambda found: {"<": "&lt;", ">": "&gt;"}.get(found[0], f"\\{found[0]}"), line)


def code(text: str) -> str:
    """For between two backticks."""
    return plain(" ".join(text.split())).replace("`", "'")


def _sign(found: re.Match[str]) -> str:
    number = ord(found[0])
    return chr(0x2400 + number) if number < 0x20 else "␡" if number == 0x7F else f"\\u{number:04x}"


class Guarded:
    """A stream that shows `plain` text. inner: the stream itself."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def write(self, text: str) -> int:
        self.inner.write(plain(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def guard() -> None:
    """From now on this process writes `plain` text to its terminal."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, Guarded):
            setattr(sys, name, Guarded(stream))


def inner(stream: Any) -> Any:
    """The stream itself: for a bar, which moves the cursor, and for data that go into a file or another program."""
    return stream.inner if isinstance(stream, Guarded) else stream
