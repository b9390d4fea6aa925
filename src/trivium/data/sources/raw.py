"""What every source writes: `labels.parquet`, one table per stream and `meta.json` (see trivium.data.tables)."""

from __future__ import annotations

import io
import os
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from trivium.data import tables
from trivium.data.meta import Meta, World


def table(**columns: Sequence[Any]) -> pa.Table:
    """Columns of strings, but `clock`, `start` and `end`: float64 seconds."""
    return pa.table({name: pa.array(values, pa.float64() if name in ("clock", "start", "end") else pa.string())
                     for name, values in columns.items()})


def root(out: Path) -> str:
    """`out` as `meta.json` names it: from the working folder, and without the mark of an unfinished folder."""
    return os.path.relpath(str(out).removesuffix(".part")).replace(os.sep, "/")


def save(out: Path, labels: pa.Table, streams: Mapping[str, pa.Table], *, source: str, root: str, title: str,
         card: str, world: World | None = None, target: Sequence[str] = ("label",),
         clock: Literal["dates", "seconds"] | None = None) -> None:
    """See `Meta`."""
    tables.write(labels, out / "labels.parquet")
    for name, rows in streams.items():
        tables.write(rows, out / f"{name}.parquet")
    Meta(source=source, root=root, title=title, card=card, world=world, target=tuple(target),
         clock=clock).write(out / "meta.json")


def png(pixels: np.ndarray) -> bytes:
    """A PNG file of uint8 [H, W]."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def wav(samples: np.ndarray, rate: int) -> bytes:
    """A WAV file of int16 [N], one channel. rate: Hz"""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return buffer.getvalue()


def mp4(pictures: np.ndarray, rate: int) -> bytes:
    """An MP4 file, H.264 without loss, of uint8 [T, H, W], grey; H and W are even. rate: frames a second"""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=rate)
        stream.height, stream.width = pictures.shape[1:]
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "qp": "0", "g": str(rate), "threads": "1"}  # the same bytes anywhere
        for picture in pictures:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "gray")))
        file.mux(stream.encode(None))
    return buffer.getvalue()
