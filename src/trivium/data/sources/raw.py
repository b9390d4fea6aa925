"""What every source writes: `labels.parquet`, one table per modality and `meta.json` (see trivium.data.tables)."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from trivium.data import tables
from trivium.data.sources.worlds import MODALITIES
from trivium.settings.errors import UserError


def table(**columns: Sequence[Any]) -> pa.Table:
    """Columns of strings, but `start` and `end`: float64 seconds."""
    return pa.table({name: pa.array(values, pa.float64() if name in ("start", "end") else pa.string())
                     for name, values in columns.items()})


def root(out: Path) -> str:
    """`out` as `meta.json` names it: from the working folder, and without the mark of an unfinished folder."""
    return os.path.relpath(str(out).removesuffix(".part")).replace(os.sep, "/")


def save(out: Path, labels: pa.Table, modalities: Mapping[str, pa.Table], *, source: str, root: str, title: str,
         card: str, world: dict | None = None) -> None:
    """`card`: Markdown, what this data is and is not."""
    tables.write(labels, out / "labels.parquet")
    for name, rows in modalities.items():
        tables.write(rows, out / f"{name}.parquet")
    meta = {"source": source, "root": root, "modalities": list(modalities), "title": title, "card": card,
            "world": world}
    tables.write_json(meta, out / "meta.json")


def check_modalities(source: str, modalities: Sequence[str]) -> None:
    """Raises: UserError for a modality that the generated data does not have."""
    unknown = [m for m in modalities if m not in MODALITIES]
    if unknown:
        raise UserError(f"params.yaml: data.modalities names `{unknown[0]}`, but data.source {source} has only "
                        f"{', '.join(MODALITIES)}. Leave it out, or bring your own data (docs/bring-your-own-data.md).")


def png(pixels: np.ndarray) -> bytes:
    """A PNG file of uint8 [H, W]."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
