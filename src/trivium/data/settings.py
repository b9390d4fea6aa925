"""The settings of the stages from ingest to split."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from trivium.modalities import names
from trivium.settings.base import Count, Section, Share

World = Literal["redundant", "dominant", "unique", "synergy", "mixed"]

# One column per file in trivium.modalities, of the same name where params.yaml says nothing: adding a modality is adding
# a file.
_columns: dict[str, Any] = {m: (str, m) for m in names()}
PerModality: Any = create_model("PerModality", __base__=Section, **_columns)


class Digits(Section):
    world: World
    samples: Annotated[int, Field(ge=200, le=100_000)]


class Symbols(Digits):
    pass


class Stamps(Section):
    folder: str
    language: str


class Manifest(PerModality):
    path: str
    id: str
    label: str
    group: str
    split: str
    language: str
    domain: str
    start: str
    end: str


class Data(Section):
    source: Literal["digits", "symbols", "stamps", "manifest"]
    watch: str
    modalities: Annotated[tuple[str, ...], Field(min_length=1)]
    seed: int
    digits: Digits
    symbols: Symbols
    stamps: Stamps
    manifest: Manifest


class Validate(Section):
    max_bad_fraction: Share
    min_class_count: Count
    text_length: tuple[int, int]
    image_side: tuple[int, int]
    audio_seconds: tuple[float, float]


class Align(Section):
    tolerance: Annotated[float, Field(ge=0)]


class Split(Section):
    method: Literal["holdout", "kfold"]
    val: Annotated[float, Field(gt=0, lt=1)]
    test: Annotated[float, Field(gt=0, lt=1)]
    labels: Annotated[float, Field(gt=0, le=1)]
    group_identical_text: bool
    held_out_domain: str  # its samples are in no seed's train, val or test; "": none is held out
