"""The sound in a recording of pictures, and any other that libsndfile cannot read, as a `soundfile.SoundFile` gives it.

Samples lie where their presentation times say, seen from the recording's start, which its pictures are seen from as
well: where the sound begins later, or has a hole, there is silence.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from trivium.modalities import videos

HEADS = {0: (b"\x1aE\xdf\xa3", b"FLV\x01", b"\x30\x26\xb2\x75", b"\0\0\1\xba"),
         4: (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"), 8: (b"AVI ",)}  # of containers, at such a byte
PACKET = 188  # bytes, each of which begins with G: a transport stream
HOLE = 0.02  # seconds between two frames that are silence, and no rounding


def opened(file: str | Path | io.BytesIO) -> Any:
    """A `soundfile.SoundFile`, or a `Sound` of what it cannot read and PyAV can.

    Raises: ValueError (a container without sound); else as `SoundFile` does.
    """
    import soundfile

    file = Path(file) if isinstance(file, str) else file
    return Sound(file) if _is_container(file) else soundfile.SoundFile(file)


def _is_container(file: Path | io.BytesIO) -> bool:
    try:
        with file.open("rb") if isinstance(file, Path) else io.BytesIO(file.getbuffer()[: 2 * PACKET]) as content:
            head = content.read(2 * PACKET)
    except OSError:  # which is told when it is opened
        return False
    return any(head[at:].startswith(one) for at, known in HEADS.items() for one in known) or (
        len(head) > PACKET and head[0] == head[PACKET] == ord("G"))


class Sound:
    """An open sound. Raises: ValueError (why it cannot be read, or that there is none).

    samplerate, channels: as in the file.  frames: samples of each channel, as far as the file says.
    """

    format = "PyAV"

    @property
    def slack(self) -> int:
        """Samples by which `frames` may be wrong: a container says only roughly how long a sound is."""
        return self.samplerate // 4

    def __init__(self, file: Path | io.BytesIO) -> None:
        self.container = videos.container(file)
        if not self.container.streams.audio:
            self.container.close()
            raise ValueError("has no sound")
        self.stream = self.container.streams.audio[0]
        self.stream.codec_context.thread_count = 1
        self.samplerate, self.channels = self.stream.rate or 0, self.stream.channels or 1
        self.start = (self.container.start_time or 0) / 1e6
        begin = float((self.stream.start_time or 0) * self.stream.time_base) - self.start
        lasts = float(self.stream.duration * self.stream.time_base) if self.stream.duration else (
            (self.container.duration or 0) / 1e6 - begin)
        self.frames = round((max(0.0, begin) + lasts) * self.samplerate)
        self.place, self.pieces = 0, self._decoded()
        self.left = np.zeros((0, self.channels), np.float32)

    def __enter__(self) -> Sound:
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    def seek(self, first: int) -> None:
        """Go to a sample. Raises: ValueError."""
        import av

        try:
            before = max(0.0, first / self.samplerate - 0.2) + self.start  # decoders need a run-up
            self.container.seek(int(before / self.stream.time_base), stream=self.stream, backward=True)
        except (av.error.FFmpegError, OSError):
            self.container.seek(0)
        self.stream.codec_context.flush_buffers()
        self.place, self.pieces, self.left = first, self._decoded(), self.left[:0]

    def read(self, count: int, dtype: str = "float32", always_2d: bool = False) -> np.ndarray:
        """The next `count` samples or fewer, float32 [N, channels]; [N] where there is one channel. Raises: ValueError.
        """
        found, missing = [self.left], count - len(self.left)
        while missing > 0 and (piece := next(self.pieces, None)) is not None:
            found.append(piece)
            missing -= len(piece)
        whole = np.concatenate(found)
        whole, self.left = whole[:count], whole[count:]
        return whole if always_2d or self.channels > 1 else whole[:, 0]

    def _decoded(self) -> Iterator[np.ndarray]:
        """float32 [N, channels], from `place` on."""
        import av

        resampler, frames = None, self._frames()
        for frame in frames:
            if frame.sample_rate != self.samplerate:
                raise ValueError("changes its sample rate on the way")
            resampler = resampler or av.AudioResampler("flt", frame.layout, self.samplerate)
            time = None if frame.pts is None else float(frame.pts * frame.time_base) - self.start
            for one in resampler.resample(frame):
                piece = one.to_ndarray().reshape(-1, len(frame.layout.channels))
                at = self.place if time is None else round(time * self.samplerate)
                if abs(at - self.place) > HOLE * self.samplerate:
                    if at > self.place:
                        yield from _silence(at - self.place, self.channels)
                        self.place = at
                    else:
                        piece = piece[self.place - at:]
                if len(piece):
                    self.place += len(piece)
                    yield _mixed(piece, self.channels)

    def _frames(self) -> Iterator[Any]:
        import av

        try:
            for packet in self.container.demux(self.stream):
                try:
                    yield from packet.decode()
                except av.error.FFmpegError:
                    continue  # a hole, which silence fills
        except (av.error.FFmpegError, OSError):
            return


def _silence(count: int, channels: int) -> Iterator[np.ndarray]:
    """A piece at a time: what a file claims is not made at once."""
    while count > 0:
        yield np.zeros((min(count, 1 << 16), channels), np.float32)
        count -= 1 << 16


def _mixed(piece: np.ndarray, channels: int) -> np.ndarray:
    """With as many channels as there were at first."""
    if piece.shape[1] == channels:
        return piece
    return np.repeat(piece.mean(1, keepdims=True), channels, 1)
