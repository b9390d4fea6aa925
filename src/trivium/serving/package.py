"""A folder that holds all a prediction needs: the weights, and how raw values become tensors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import trivium
from trivium.data.meta import Meta
from trivium.data.tables import read_json
from trivium.machine import files
from trivium.modalities import is_written, media
from trivium.serving.predictor import PREPARED, best, data_uri, preparation

ROOMS = ("data", "encoders", "fusion", "machine", "modalities", "models", "runtime", "serving", "settings",
         "tasks")
SMALL = 200_000  # bytes; larger files are left out of the example
KINDS = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".wav": "audio/wav", ".flac": "audio/flac",
         ".ogg": "audio/ogg", ".mp3": "audio/mpeg", ".mp4": "video/mp4", ".webm": "video/webm",
         ".mov": "video/quicktime", ".mkv": "video/x-matroska", ".avi": "video/x-msvideo"}


def write(root: Path, strategy: str, folder: Path) -> dict[str, Any]:
    """Put the best seed of `strategy` into `folder`; returns how its inputs are prepared. Raises: UserError."""
    source, seed = best(root, strategy)
    prepared = preparation(root, seed, source)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("model.safetensors", "model.json"):
        shutil.copy(source / name, folder)
    for where in read_json(source / "model.json").get("apart", {}).values():  # published weights: see `models.files`
        (folder / "apart" / where).mkdir(parents=True)
        for name in ("model.safetensors", "model.json"):
            shutil.copy(root / "models/pretrain" / where / name, folder / "apart" / where)
    files.write(folder / PREPARED, json.dumps(prepared, ensure_ascii=False))
    return prepared


def code(folder: Path) -> Path:
    """Put the part of this package that predictions need into `folder`; returns where it is."""
    source = Path(trivium.__file__).parent
    made = folder / source.name
    for file in [*source.glob("*.py"), *(file for room in ROOMS for file in (source / room).rglob("*.py"))]:
        target = made / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    return made


def example(root: Path, streams: Mapping[str, str]) -> list[dict[str, str | None]]:
    """Two samples of the data as inputs that need no other file: text, and media as `data:` URIs.

    streams: name -> modality.
    """
    import pyarrow.parquet as pq

    path = root / "data/aligned/samples.parquet"
    rows: list[dict[str, Any]] = []
    if path.exists():
        rows = next(pq.ParquetFile(path).iter_batches(200, columns=list(streams))).to_pylist()
    meta = Meta.found(root / "data/aligned/meta.json")
    seen = root / (meta.root if meta else "")
    found = [{s: _inline(modality, row[s], seen) for s, modality in streams.items()} for row in rows[:20]]
    found.sort(key=lambda row: sum(value is None for value in row.values()))  # stable: complete samples first
    blank: dict[str, str | None] = {s: "hello" if modality == "text" else None for s, modality in streams.items()}
    return [*found, blank, blank][:2]


def _inline(modality: str, value: str | None, root: Path) -> str | None:
    if value is None or is_written(modality):
        return value
    kind = KINDS.get(PurePosixPath(value).suffix.lower())
    if not kind or not media.exists(value, root):
        return None
    file = media.opened(value, root)
    return data_uri(file, kind) if media.size(file) < SMALL else None
