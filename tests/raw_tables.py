"""Small raw data with real files, as a source would write it, for what validates and aligns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import soundfile
from PIL import Image

from trivium.data import tables
from trivium.data.settings import Validate

SETTINGS = Validate(max_bad_fraction=0.5, min_class_count=2, text_length=(1, 30), image_side=(1, 64),
                    audio_seconds=(0.01, 10))


def table(rows: list[dict[str, Any]], columns: str) -> pa.Table:
    """Columns named in one string; what a row does not give is null."""
    kinds = {name: pa.float64() if name in ("start", "end") else pa.string() for name in columns.split()}
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in kinds.items()})


def labels(count: int = 6, **changes: list[Any]) -> list[dict[str, Any]]:
    """Samples s0, s1, ... with the keys k0, k1, ... and the labels a, b, a, ...; `changes` give whole columns."""
    rows = [{"sample": f"s{i}", "key": f"k{i}", "label": "ab"[i % 2]} for i in range(count)]
    for name, values in changes.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    return rows


def texts(values: list[str | None], **changes: list[Any]) -> list[dict[str, Any]]:
    """Rows of text.parquet for the keys k0, k1, ..."""
    rows = [{"key": f"k{i}", "value": value, "digest": tables.digest((value or "").encode())}
            for i, value in enumerate(values)]
    for name, column in changes.items():
        for row, value in zip(rows, column, strict=True):
            row[name] = value
    return rows


def write(folder: Path, labels: list[dict[str, Any]], **streams: list[dict[str, Any]]) -> Path:
    """`folder`/raw with `labels.parquet`, a table per stream and `meta.json`; media are looked for in `folder`."""
    raw = folder / "raw"
    tables.write(table(labels, "sample key label group domain language split start end"), raw / "labels.parquet")
    for name, rows in streams.items():
        tables.write(table(rows, "key value digest start end"), raw / f"{name}.parquet")
    tables.write_json({"source": "manifest", "root": str(folder), "title": "small",
                       "card": "", "world": None}, raw / "meta.json")
    return raw


def image(folder: Path, i: int, side: int = 8) -> dict[str, Any]:
    """A picture for the key k<i>, in a file of its own."""
    path = folder / f"{i}.png"
    Image.fromarray(np.random.default_rng(i).integers(0, 256, (side, side, 3), dtype=np.uint8)).save(path)
    return {"key": f"k{i}", "value": path.name, "digest": tables.digest(path.read_bytes())}


def audio(folder: Path, i: int, seconds: float = 0.1) -> dict[str, Any]:
    """A sound for the key k<i>, in a file of its own."""
    path = folder / f"{i}.wav"
    soundfile.write(path, np.random.default_rng(i).uniform(-0.5, 0.5, round(8000 * seconds)), 8000)
    return {"key": f"k{i}", "value": path.name, "digest": tables.digest(path.read_bytes())}
