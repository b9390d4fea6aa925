"""The pictures that a recording shows at given times.

Times are seconds since the recording's start, by the presentation time of each frame and not by its number, so that a
variable frame rate is right. Where the next time is far, decoding goes on at the last key frame before it; memory
holds two frames, however long the recording is.
"""

from __future__ import annotations

import io
import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trivium.modalities import media, videos

FAR = 2.0  # seconds, from which on it is looked whether a key frame is nearer than going on
LATEST = 1e9  # seconds: behind any recording
REORDERED = 4  # frames that are decoded before one that is shown earlier
SCANNED = 1 << 26  # bytes of a file whose length is read from its packets and not believed


class Film:
    """A recording, open. Raises: ValueError (why it cannot be read).

    seconds: that it lasts, as far as it says so; None where it does not.  broken: seconds at which decoding failed.
    """

    def __init__(self, file: Path | io.BytesIO) -> None:
        self.file = file
        self.container = videos.container(self.file)
        try:
            self._begin()
        except BaseException:
            self.container.close()
            raise

    def _begin(self) -> None:
        moving = [one for one in self.container.streams.video if not one.disposition & _attached()]
        if not moving:
            raise ValueError("has no pictures" + (", only sound" if self.container.streams.audio else ""))
        self.stream = moving[0]
        if (context := self.stream.codec_context) is None:
            raise ValueError("its pictures are coded in a way that PyAV does not know")
        self.pixels = context.width, context.height
        if self.pixels[0] * self.pixels[1] > videos.MAX_PIXELS:
            raise ValueError(f"says that its pictures have {self.pixels[0]:,} x {self.pixels[1]:,} pixels: more than "
                             f"{videos.MAX_PIXELS // 10**6} megapixels are too large to decode safely")
        context.thread_count = 1  # there is a process for each core
        context.options = {"max_pixels": str(videos.MAX_PIXELS)}  # which may change on the way
        self.base = self.stream.time_base
        self.start = (self.container.start_time or 0) / 1e6
        self.step = float(1 / self.stream.average_rate) if self.stream.average_rate else 0.04
        self.broken = list[float]()
        self.last = -math.inf  # time of the newest frame
        self._blind = True  # whether it is worth to seek without an index
        self._count, self._times, self._mode = 0, list[float](), "DEFAULT"
        self.given = False  # whether anything was there to be decoded
        self._packets = self._demux()
        self._ready = list[Any]()

    def __enter__(self) -> Film:
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    @property
    def seconds(self) -> float | None:
        if self.stream.duration:
            begin = float((self.stream.start_time or 0) * self.base) - self.start
            return float(self.stream.duration * self.base) + begin
        return self.container.duration / 1e6 if self.container.duration else None

    @property
    def claimed(self) -> float | None:
        """Seconds that its pictures alone last, where it says that: sound may go on behind them."""
        if self.stream.duration or not self.container.streams.audio:
            return self.seconds
        hours, minutes, rest = (self.stream.metadata.get("DURATION") or "::").split(":")[:3]
        try:
            return 3600 * int(hours) + 60 * int(minutes) + float(rest)
        except ValueError:
            return None

    def scanned(self) -> float:
        """Seconds that it lasts by the times of its packets, none of which is decoded; as it says where it is large.
        Raises: ValueError (it says nothing, and has no packet with a time).
        """
        if media.size(self.file) > SCANNED and self.seconds:
            return self.seconds
        end = 0.0
        for packet in self._demux():
            if packet.size and packet.pts is not None:
                end = max(end, float((packet.pts + (packet.duration or 0)) * self.base) - self.start)
        self._seek(0.0)
        if not (end := end or self.seconds or 0.0):
            raise ValueError("has no frames")
        return end

    def shown(self, times: Sequence[float] | np.ndarray, fast: bool = False) -> Iterator[Any]:
        """The frame that is shown at each of the `times`, which rise; None behind the end, but never the first, as long
        as there is a frame at all. fast: frames that nobody asks for and no other is made from are not decoded.
        """
        self._times = sorted(times) if fast and "mp4" in self.container.format.name else []
        held = ahead = None
        for k, time in enumerate(times):
            if time - max(self.last, 0.0) > FAR and self._skip(time):
                held = ahead = None
            while ahead is None or self.time(ahead) <= time:
                if ahead is not None:
                    held = ahead
                if (ahead := self._next()) is None:
                    break
            if ahead is None and (held is None or (k and time >= self.time(held) + self._lasts(held))):
                yield None
            else:
                yield ahead if held is None else held

    def time(self, frame: Any) -> float:
        """Seconds from the recording's start."""
        return (frame.pts if frame.pts is not None else 0) * float(self.base) - self.start

    def _lasts(self, frame: Any) -> float:
        own = float(frame.duration * self.base) if frame.duration else 0.0
        return max(own, self.step) + 1e-3

    def _demux(self) -> Iterator[Any]:
        import av

        try:
            yield from self.container.demux(self.stream)
        except (av.error.FFmpegError, OSError):  # what comes behind cannot be found
            self.broken.append(max(self.last, 0.0))

    def _next(self) -> Any:
        """The next frame; None at the end."""
        import av

        while not self._ready:
            packet = next(self._packets, None)
            if packet is None:
                return None
            self.given = self.given or bool(packet.size)
            self._spare(packet)
            try:
                self._ready = list(packet.decode())
            except av.error.FFmpegError:
                self.broken.append(max(self.last, 0.0))
        frame = self._ready.pop(0)
        if frame.pts is None:  # a bare stream has no times
            frame.pts = frame.dts if frame.dts is not None else round(self._count * self.step / float(self.base))
            frame.time_base = self.base
        self._count += 1
        self.last = self.time(frame)
        if frame.is_corrupt:
            self.broken.append(self.last)
        return frame

    def _spare(self, packet: Any) -> None:
        """Let the decoder leave out a frame that no other is made from, where nobody asks for it.

        How long a frame is shown only some containers know, and it is trusted to a half.
        """
        wanted = "DEFAULT"
        if self._times and packet.pts is not None and packet.duration:
            begin, lasts = float(packet.pts * self.base) - self.start, float(packet.duration * self.base)
            place = bisect_left(self._times, begin)
            if place == len(self._times) or self._times[place] >= begin + 2 * lasts:
                wanted = "NONREF"
        if wanted != self._mode:
            self.stream.codec_context.skip_frame = self._mode = wanted

    def _skip(self, time: float) -> bool:
        """Go to the last key frame before `time`, where that is ahead of what is decoded; whether it did."""
        time = min(time, LATEST) - REORDERED * self.step  # an index has times of decoding, which are earlier
        wanted = int((time + self.start) / float(self.base))
        entries = self.stream.index_entries
        place = entries.search_timestamp(wanted, backward=True, any_frame=False) if len(entries) else -1
        if place >= 0 and len(entries) > 1 and entries[len(entries) - 1].timestamp >= wanted:
            if entries[place].timestamp * float(self.base) - self.start <= self.last:
                return False
        elif not self._blind:
            return False
        before = self.last
        if not self._seek(time):
            return False
        first = next(self._packets, None)
        if first is not None and first.pts is not None and float(first.pts * self.base) - self.start <= before:
            self._blind = False  # key frames are rare: it goes through all from here on
        self._packets = _behind(first, self._packets)
        return True

    def _seek(self, time: float) -> bool:
        import av

        try:
            self.container.seek(max(0, int((time + self.start) / float(self.base))), stream=self.stream, backward=True)
        except (av.error.FFmpegError, OSError):
            return False
        self.stream.codec_context.flush_buffers()
        self._packets, self._ready = self._demux(), []
        return True


def picture(frame: Any, width: int, height: int, mode: str, shrink: Any = None) -> np.ndarray:
    """uint8 [height, width, channels] of a whole frame, upright. mode: rgb24 or gray.  shrink: see `shrinker`."""
    from av.video.reformatter import Interpolation

    aside, upward, leftward = posed(frame)
    across, down = (height, width) if aside else (width, height)
    flags = Interpolation.BICUBIC | Interpolation.ACCURATE_RND
    made = (shrink or shrinker()).reformat(frame, across, down, mode, interpolation=flags, threads=1)
    small = made.to_ndarray().reshape(down, across, -1)
    if aside:
        small = small.swapaxes(0, 1)
    return small[::-1 if upward else 1, ::-1 if leftward else 1]


def shrinker() -> Any:
    """What shrinks frames of one video: to prepare it takes as long as to shrink ten."""
    from av.video.reformatter import VideoReformatter

    return VideoReformatter()


def posed(frame: Any) -> tuple[bool, bool, bool]:
    """What sets a frame upright, as its display matrix says: first rows become columns, then the order of the rows is
    turned round, and that of the columns. So a camera's quarter turns are undone, and a selfie's mirror.
    """
    from av.sidedata.sidedata import Type

    matrix = frame.side_data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return False, False, False
    # A point (x, y), right and down, is shown at (a x + c y, b x + d y); fixed point, rows [a b u] and [c d v].
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32, 5).tolist()
    return (True, b < 0, c < 0) if abs(b) > abs(a) else (False, d < 0, a < 0)


def size(frame: Any, aspect: Any) -> tuple[float, float]:
    """Width and height as it is shown: upright, with square pixels. aspect: width of a pixel by its height, or None."""
    width = frame.width * float(aspect or 1)
    return (frame.height, width) if posed(frame)[0] else (width, frame.height)


def _attached() -> int:
    from av.stream import Disposition

    return Disposition.attached_pic


def _behind(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    if first is not None:
        yield first
    yield from rest


