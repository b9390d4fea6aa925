"""A little aligned and split data with real media files, for what reads or writes features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import soundfile
from PIL import Image

from trivium.data import features, tables
from trivium.encoders import Described, describe
from trivium.machine.cache import Cache
from trivium.tasks.classification import Classification

STREAMS = ("text", "image", "audio")
ENTRIES: dict[str, dict[str, Any]] = {  # of `encoder` in params.yaml
    "words": {"modality": "text", "architecture": "cnn", "width": 16, "depth": 1,
              "processor": {"length": 6, "vocab": 64}},
    "patches": {"modality": "image", "architecture": "cnn", "width": 16, "depth": 1,
                "processor": {"size": 8, "channels": 3}},
    "waves": {"modality": "audio", "architecture": "cnn", "width": 16, "depth": 1,
              "processor": {"sample_rate": 8000, "seconds": 0.016, "features": "waveform"}},
}
ENCODERS = {name: describe(name, entry) for name, entry in ENTRIES.items()}
READ_BY = {"text": "words", "image": "patches", "audio": "waves"}  # stream -> entry of `encoder`
ROWS = 24  # rows 0-11 are train, 12-17 val, 18-23 test in seed 0; the other way round in seed 1


def row(i: int) -> dict[str, Any]:
    """Text, picture (uint8 [8, 8, 3]) and sound (float [128]) of row i; sound is missing where i % 4 == 3."""
    rng = np.random.default_rng([i, 7])
    return {"text": f"k{i % 4:02} w{40 + i % 3}", "image": rng.integers(0, 256, (8, 8, 3), dtype=np.uint8),
            "audio": None if i % 4 == 3 else rng.uniform(-0.5, 0.5, 128)}


def write_aligned(folder: Path, contents: list[dict[str, Any]] | None = None, same_splits: bool = False) -> None:
    """`folder`/aligned, /splits and /media of `contents` (default: `row` 0-23)."""
    contents = [row(i) for i in range(ROWS)] if contents is None else contents
    (folder / "media").mkdir(parents=True, exist_ok=True)
    count = len(contents)
    columns: dict[str, Any] = {"sample": [f"s{i:03}" for i in range(count)], "label": list("ab" * count)[:count],
                               "y": pa.array([i % 2 for i in range(count)], pa.int32())}
    for m in STREAMS:
        values = [None if c[m] is None else c[m] if m == "text" else _file(folder, m, i, c[m])
                  for i, c in enumerate(contents)]
        columns |= {m: pa.array(values, pa.string()), f"{m}_start": pa.nulls(count, pa.float64()),
                    f"{m}_end": pa.nulls(count, pa.float64()), f"has_{m}": [value is not None for value in values]}
    tables.write(pa.table(columns), folder / "aligned/samples.parquet")
    tables.write_json({"source": "manifest", "root": str(folder), "streams": {m: m for m in STREAMS}, "title": "tiny",
                       "card": "", "task": Classification(["a", "b"]).plain(),
                       "world": {"name": "unique", "bits": {}, "bayes": {}}},
                      folder / "aligned/meta.json")
    first = ["train"] * (count // 2) + ["val"] * (count // 4) + ["test"] * (count - count // 2 - count // 4)
    drawn = {"sample": columns["sample"], "seed_0": first, "seed_1": first if same_splits else first[::-1]}
    tables.write(pa.table(drawn), folder / "splits/splits.parquet")


def _file(folder: Path, m: str, i: int, content: np.ndarray) -> str:
    if m == "image":
        Image.fromarray(content).save(folder / f"media/{i}.png")
        return f"media/{i}.png"
    soundfile.write(folder / f"media/{i}.wav", content, 8000, subtype="FLOAT")
    return f"media/{i}.wav"


def write_features(folder: Path, recipes: Mapping[str, Mapping[str, str]] | None = None,
                   encoders: Mapping[str, Described] = ENCODERS, workers: int = 1) -> None:
    """`folder`/data/features and /data/reads, which must be new, of what `write_aligned` wrote, two seeds.

    recipes: per recipe, stream -> encoder; default: `scratch` with all three.
    """
    features.write(folder / "aligned", folder / "splits", folder / "data/features", folder / "data/reads",
                   recipes or {"scratch": READ_BY}, encoders, 2, workers, Cache(folder / ".cache/features"))
