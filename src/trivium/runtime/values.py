"""Raw values as people give them: a text, a path, the bytes of a file, a `data:` URI, or nothing."""

from __future__ import annotations

import base64
import binascii
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trivium.modalities import is_written

Value = str | bytes | None  # text itself; a path, the bytes of a file or a `data:` URI; None where it is missing
TIMES = ("start", "end")  # of the recording that a row is about; those of `trivium.data.sources.manifest`


class NotOne(str):
    """The JSON of a list or an object, where one value should be."""


def missing(value: Any, modality: str = "text") -> bool:
    """Whether there is nothing; a file of no bytes is not nothing, but one that cannot be used."""
    if value is None or value != value:  # NaN is unequal to itself
        return True
    return value == "" or (value == b"" and is_written(modality))


def text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def times(streams: Iterable[str]) -> tuple[str, ...]:
    """What says which part of a recording a row is about: of all streams, or of one."""
    return (*TIMES, *(f"{s}_{key}" for s in streams for key in TIMES))


def span(row: Mapping[str, Any], stream: str, since: Callable[[], float | None] = lambda: None,
         ) -> tuple[float | None, float | None]:
    """Start and end in the recording of a stream, in seconds: its own, such as `mic_start`, else those of the row.

    since: when its second 0 is, in seconds since 1970 (UTC), None where its times are no dates
    Raises: ValueError (one is no number, and no date of such a recording).
    """
    start, end = (_seconds(row.get(f"{stream}_{key}", row.get(key)), key, since) for key in TIMES)
    return start, end


def _seconds(value: Any, key: str, since: Callable[[], float | None]) -> float | None:
    if missing(value):
        return None
    try:
        return float(value)
    except ValueError:
        from trivium.data import moments

        if (moment := moments.date(str(value))) is None:
            raise ValueError(f"{key} is {value!r}, not a number of seconds") from None
        begin = since()
    try:
        return moments.within(moment, begin)
    except ValueError as error:
        raise ValueError(f"{key} is {value!r}, {error}") from None


@contextmanager
def as_file(value: Any) -> Iterator[str | None]:
    """The path of a file with the content of bytes or of a `data:` URI, until the block ends; None for a path.

    In memory where the system can do that: on a disk, making and removing a file takes longer than to decode a sound.
    Raises: ValueError (no valid base64).
    """
    if isinstance(value, str) and not value.startswith("data:"):
        yield None
        return
    if isinstance(value, str):
        try:
            value = base64.b64decode(value.partition(",")[2], validate=True)
        except binascii.Error as error:
            raise ValueError(f"not valid base64 ({error})") from None
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("value"), "wb", buffering=0) as file:
            rest = memoryview(bytes(value))
            while rest:
                rest = rest[file.write(rest):]
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "value"
            path.write_bytes(bytes(value))
            yield str(path)
