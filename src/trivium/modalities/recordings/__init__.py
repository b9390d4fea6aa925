"""Recordings of one or several channels over time, whatever file they are in: tables (CSV, TSV, Arrow, Parquet), arrays
(NPY, NPZ) and WFDB. What a file is, its first bytes say.

Legend: `N` points, `C` channels.
"""

from __future__ import annotations

import functools
import io
import math
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trivium.machine.files import absent
from trivium.modalities import media
from trivium.modalities.media import place

MOST = 1 << 27  # numbers of one recording: a gigabyte
HEAD = 4096  # bytes that tell what a file is
SMALL = 1 << 16  # bytes that are read at a time
SHORT = 1 << 16  # points of recordings that share their times


@dataclass(frozen=True, eq=False)
class Times:
    """When the points of a recording are. seconds: float64 [N], rising;  shared: by recordings of one length and rate,
    so that what follows from it is worked out once.
    """

    seconds: np.ndarray
    shared: bool = False

    @functools.cached_property
    def step(self) -> float:
        """Seconds from a point to the next, as it usually is; of a single point 1."""
        if len(self.seconds) < 2:
            return 1.0
        usual = float(np.median(np.diff(self.seconds)))
        # Seconds since 1970 are kept to 0.2 microseconds: over a million points that adds up to some of them.
        blur = 2 * float(np.spacing(np.abs(self.seconds[[0, -1]]).max()))
        mean = float(self.seconds[-1] - self.seconds[0]) / (len(self.seconds) - 1)
        return mean if blur > 1e-9 * usual and abs(mean - usual) <= blur else usual

    @functools.cached_property
    def wrong(self) -> str:
        """What is, in words: a point has no time, or times do not rise."""
        if not np.isfinite(self.seconds).all():
            return f"point {int(np.argmax(~np.isfinite(self.seconds))) + 1} has no time"
        steps = np.diff(self.seconds)
        if not (steps <= 0).any():
            return ""
        at = int(np.argmax(steps <= 0))
        what = "has the same time as" if steps[at] == 0 else "is earlier than"
        what += " the one before" + ("" if steps[at] == 0 else ": its times run backwards")
        return f"point {at + 2} ({self.seconds[at + 1]:.10g} s) {what}"


def counted(count: int, rate: float) -> Times:
    """Of `count` points, `rate` a second, from 0 on."""
    return _counted(count, rate) if count <= SHORT else Times(np.arange(count) / rate)


@functools.lru_cache(4)
def _counted(count: int, rate: float) -> Times:
    seconds = np.arange(count) / rate
    seconds.setflags(write=False)
    return Times(seconds, shared=True)


@dataclass(frozen=True)
class Recording:
    """values: float64 [C, N], NaN where a channel has no value (a gap).
    since: where its times are dates, when the second 0 is, in seconds since 1970 (UTC)
    timed: whether it says when its points are, or how many there are a second; else each is taken to last a second
    """

    times: Times
    values: np.ndarray
    channels: tuple[str, ...]
    since: float | None = None
    timed: bool = True

    @property
    def seconds(self) -> np.ndarray:
        """float64 [N], rising."""
        return self.times.seconds

    @property
    def step(self) -> float:
        """See `Times.step`."""
        return self.times.step

    @property
    def lasts(self) -> float:
        """Seconds from the first point to the end of the last one, which lasts as long as others."""
        return float(self.seconds[-1] - self.seconds[0]) + self.step


def read(value: str, root: str | Path) -> Recording:
    """The recording behind a value (see `media.opened`). The last one is kept: it may serve several rows.

    Raises: ValueError (why it cannot be used).
    """
    there = place.parse(value)
    path = "" if there.kind or there.remote else os.path.join(root, there.outer)
    try:
        if not path:
            return _read(value, str(root), media.opened(value, root))
        about = os.stat(path)
        return _kept(value, str(root), path, (about.st_mode, about.st_ino, about.st_mtime_ns, about.st_size))
    except OSError as error:
        gone = path and isinstance(error, FileNotFoundError)
        raise ValueError(absent(Path(root) / value) if gone else f"cannot be read: {error.strerror or error}") from None


@functools.lru_cache(1)
def _kept(value: str, root: str, path: str, state: tuple[int, ...]) -> Recording:
    return _read(value, root, Path(path) if stat.S_ISREG(state[0]) else media.opened(value, root))


def _read(value: str, root: str, file: Path | io.BytesIO) -> Recording:
    from trivium.modalities.recordings import arrays, delimited, wfdb

    head, whole = _begin(file)
    if not head:
        raise ValueError("the file is empty")
    if whole:
        found = arrays.arrow(whole)
    elif head.startswith((b"\x93NUMPY", b"PK")):
        found = arrays.numpy(file)
    elif head.startswith(b"PAR1"):
        found = arrays.parquet(file)
    elif value.endswith((".hea", ".dat")) or wfdb.begins(head):
        found = wfdb.read(value, root)
    elif b"\0" in head:
        raise ValueError("no recording that can be read: neither CSV, TSV, NPY, NPZ, Arrow, Parquet nor WFDB")
    else:
        found = delimited.read(file, head)
    return checked(found)


def _begin(file: Path | io.BytesIO) -> tuple[bytes, bytes]:
    """The first bytes, and all of an Arrow file. Of those there may be very many, and each call of the system costs as
    much as the numbers of a small one: these are fewer than `open` makes.
    """
    if isinstance(file, io.BytesIO):
        content = file.getvalue()
        return content[:HEAD], content if content.startswith(b"ARROW1") else b""
    handle = os.open(file, os.O_RDONLY)
    try:
        parts = [os.read(handle, SMALL)]
        if not parts[0].startswith(b"ARROW1"):
            return parts[0][:HEAD], b""
        while len(parts[-1]) == SMALL:
            parts.append(os.read(handle, SMALL))
    finally:
        os.close(handle)
    return parts[0][:HEAD], b"".join(parts)


def refuse_many(count: int) -> None:
    """Raises: ValueError (it would not fit into memory)."""
    if count > MOST:
        raise ValueError(f"has {count:,} numbers, and {MOST:,} are read at most: cut it into several files")


def checked(found: Recording) -> Recording:
    """Raises: ValueError (no point, no value, times that do not rise, numbers that are infinite, far too many)."""
    if not found.channels:
        raise ValueError("has no column of numbers besides the time")
    if found.values.size == 0:
        raise ValueError("has no points: its length is 0")
    refuse_many(found.values.size)
    if found.times.wrong:
        raise ValueError(found.times.wrong)
    with np.errstate(all="ignore"):
        if np.isfinite(found.values.sum()):  # as most are: neither a gap nor anything infinite
            return found
    if (odd := np.isinf(found.values)).any():
        channel = int(np.argmax(odd.any(1)))
        raise ValueError(f"channel `{found.channels[channel]}` has infinite values: leave such cells empty")
    if np.isnan(found.values).all():
        raise ValueError("has no value in any channel: there are gaps alone")
    return found


def cut(found: Recording, start: float | None, end: float | None) -> tuple[float, float]:
    """First second and last second of what lies between `start` and `end`, of which an end beyond the recording is its
    end. Raises: ValueError (there is nothing).
    """
    first = found.seconds[0] if start is None or math.isnan(start) else start
    last = found.seconds[0] + found.lasts
    if not first < last:
        raise ValueError(f"starts at {start:g} s, but the recording ends at {last:.6g} s")
    if end is not None and not math.isnan(end):
        if end <= first:
            raise ValueError(f"ends at {end:g} s, not after its start at {first:g} s")
        last = min(last, end)
    if last <= found.seconds[0]:
        raise ValueError(f"ends at {end:g} s, before the recording begins at {found.seconds[0]:g} s")
    return float(first), float(last)
