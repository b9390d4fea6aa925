"""A manifest from `ingest` to `preprocess`, in this process and its workers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.tiny_media import ENTRIES
from trivium import tasks
from trivium.data import features, probe
from trivium.data.alignment import align
from trivium.data.settings import Align, Manifest, Split, Stream, Validate
from trivium.data.sources.manifest import write
from trivium.data.splits import split
from trivium.data.validation import validate
from trivium.encoders import describe
from trivium.machine.cache import Cache

CELLS = {"modality": "table", "architecture": "cells"}
VALIDATE = Validate(max_bad_fraction=0.5, min_class_count=2, text_length=(1, 1000), image_side=(1, 1000),
                    audio_seconds=(0.001, 10.0))


def through(manifest: Path, home: Path, streams: Mapping[str, Stream], recipes: Mapping[str, Mapping[str, str]],
            entries: Mapping[str, Mapping[str, Any]], workers: int = 1, unlabelled: str = "") -> dict[str, Any]:
    """`home`/data of `manifest`. recipes: stream -> name of an entry. Returns the report of `validate`."""
    data, names = home / "data", {name: name for name in Manifest.model_fields if name != "outside"}
    settings = Manifest(**names | {"path": str(manifest), "weight": "", "unlabelled": unlabelled})
    modalities = {s: one.modality for s, one in streams.items()}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(probe, "cores", lambda: workers)
        write(data / "raw", settings, 0, streams, tasks.kind("classification"))
        report = validate(data / "raw", data / "valid", modalities, VALIDATE)
        align(data / "valid", data / "aligned", modalities, Align(tolerance=0))
        split(data / "aligned", data / "splits", Split(method="holdout", val=0.2, test=0.2, labels=1.0,
                                                       group_identical_text=False, held_out_domain=""), 2)
        preprocess(data, recipes, entries, workers)
    return report


def preprocess(data: Path, recipes: Mapping[str, Mapping[str, str]], entries: Mapping[str, Mapping[str, Any]],
               workers: int) -> None:
    features.write(data / "aligned", data / "splits", data / "features", data / "reads", recipes,
                   {name: describe(name, dict(entry)) for name, entry in entries.items()}, 2, workers,
                   Cache(data / "cache"))


def digests(folder: Path, *parts: str) -> dict[str, str]:
    """Of every file below the `parts` of `folder`."""
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for part in parts for path in sorted((folder / part).rglob("*")) if path.is_file()}


ALL = ENTRIES | {"cells": CELLS}
