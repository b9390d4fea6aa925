"""Small files that are there whole or not at all, whatever kills the process that writes them; and how to read them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """A scratch file in the folder of `path` (made where it is missing), which takes the place of `path` when the
    block ends and vanishes when it fails. Each process has its own.

    A link is replaced, not followed: what it leads to may be DVC's cache.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    scratch = final.with_name(f".{final.name}.{os.getpid()}.part")
    try:
        yield scratch
        with scratch.open("rb") as file:
            os.fsync(file.fileno())  # else a power cut may leave the new name with nothing behind it
        scratch.replace(final)
    finally:
        scratch.unlink(missing_ok=True)


def write(path: str | Path, content: str | bytes) -> None:
    """Text in UTF-8, line ends as they are."""
    with whole(path) as scratch:
        scratch.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def read_json_or(path: str | Path, default: Any) -> Any:
    """The content of a JSON file; `default` where there is none, or it is empty or broken. For what can be made again
    and is no reason to stop; other files are read by `trivium.data.tables.read_json`, which says what is wrong.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # ValueError: not JSON, or not UTF-8
        return default
