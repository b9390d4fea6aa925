"""Small data with times of their own, as somebody would bring it: a manifest, and a table for each stream."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import soundfile

from trivium import modalities, tasks
from trivium.data import tables
from trivium.data.alignment import align
from trivium.data.met import CARRIED
from trivium.data.meta import Meta
from trivium.data.settings import Align, Manifest, Stream, Validate
from trivium.data.sources import manifest
from trivium.data.spans import Lasting
from trivium.data.validation import validate
from trivium.tasks.classification import Classification

ROWS = {"id": "id", "label": "label", "group": "group", "split": "split", "language": "language", "domain": "domain",
        "start": "start", "end": "end"}
LENIENT = Validate(max_bad_fraction=0.9, min_class_count=1, text_length=(1, 100), image_side=(1, 999),
                   audio_seconds=(0.01, 999))


def csv(path: Path, header: str, *rows: str) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def sound(path: Path, seconds: float, rate: int = 1000, seed: int = 0) -> Path:
    soundfile.write(path, np.random.default_rng(seed).uniform(-0.1, 0.1, round(seconds * rate)), rate)
    return path


def ingested(folder: Path, streams: dict[str, dict[str, Any]], key: str = "rec") -> Path:
    """The raw tables of `folder`/events.csv and of the `streams`, as params.yaml has them."""
    settings = Manifest(path=str(folder / "events.csv"), key=key, **ROWS)
    raw = folder / "raw"
    raw.mkdir(exist_ok=True)
    given = {s: Stream.model_validate(one) for s, one in streams.items()}
    manifest.write(raw, settings, 0, given, tasks.kind("classification"))
    return raw


def joined(folder: Path, tabled: dict[str, dict[str, Any]], key: str = "rec", checked: bool = False,
           **settings: Any) -> list[dict[str, Any]]:
    """The samples of the same, aligned. checked: by `validate`, which takes seconds; else all rows are good."""
    raw = ingested(folder, tabled, key)
    kinds = {s: one["modality"] for s, one in tabled.items()}
    if checked:
        validate(raw, folder / "valid", kinds, LENIENT)
    else:
        taken(raw, folder / "valid", kinds)
    align(folder / "valid", folder / "aligned", kinds, Align.model_validate({"tolerance": 0.1} | settings))
    return tables.read(folder / "aligned/samples.parquet").to_pylist()


def taken(raw: Path, valid: Path, kinds: dict[str, str]) -> None:
    """As `validate` would, where nothing is wrong."""
    labels = tables.read(raw / "labels.parquet")
    leads = dict(zip(labels["key"].to_pylist()[::-1], labels["sample"].to_pylist()[::-1], strict=True))
    shared = pa.array([leads[key] for key in labels["key"].to_pylist()])
    for name in set(CARRIED[:-1]) - set(labels.column_names):
        labels = labels.append_column(name, pa.nulls(len(labels), pa.string()))
    tables.write(labels.append_column("duplicate_group", shared), valid / "labels.parquet")
    for s, modality in kinds.items():
        rows = tables.read(raw / f"{s}.parquet")
        for name in ("start", "end"):
            if name not in rows.column_names:
                rows = rows.append_column(name, pa.nulls(len(rows), pa.float64()))
        if modality in ("audio", "series", "video"):
            root, every = Meta.read(raw / "meta.json").root, np.arange(len(rows))
            found = [modalities.get(modality).probe(one, root) for one in rows["value"].to_pylist()]
            lasts, begins, since = (np.array([one.get(name, np.nan) for one in found])
                                    for name in ("duration" if modality == "series" else "seconds", "begins", "since"))
            rows = Lasting(lasts, begins, since).on_clock(rows, every)
        tables.write(rows, valid / f"{s}.parquet")
    task = Classification(sorted(set(labels["label"].to_pylist()))).plain()
    Meta.read(raw / "meta.json").model_copy(update={"task": task, "streams": kinds}).write(valid / "meta.json")


def picked(rows: Sequence[dict[str, Any]], *names: str) -> list[tuple]:
    return [tuple(row[name] for name in names) for row in rows]


def unaligned(folder: Path) -> list[tuple]:
    """table, value and reason of each."""
    return picked(tables.read(folder / "aligned/unaligned.parquet").to_pylist(), "table", "value", "reason")


def hold_a_late_clock(folder: Path, modality: str, file: str) -> None:
    """`far`, in `file`, is 0.7 s early: it is cut by its own clock, and what it is off `near`, a sound, is found."""
    csv(folder / "events.csv", "id,label,rec,time", "e1,x,a,110", "e2,y,a,120")
    tabled = {}
    for name, what, own in (("near", "audio", "a.wav"), ("far", modality, file)):
        path = csv(folder / f"{name}.csv", "rec,file,at", f"a,{own},100")
        tabled[name] = {"modality": what, "column": "file", "table": {"path": str(path), "time": "at"}}
    rows = joined(folder, tabled, window=[0, 1], checked=True)
    assert picked(rows, "far_start", "far_end", "near_start") == [(10.0, 11.0, 10.0), (20.0, 21.0, 20.0)]
    (found,) = tables.read_json(folder / "aligned/clock.json")["offsets"]
    assert abs(found["seconds"] - 0.7) < 0.02 and found["sure"]
