"""The settings of the stages from ingest to split."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from trivium.modalities.anonymised import Anonymise
from trivium.settings.base import Count, Section, Share
from trivium.settings.durations import Duration

STREAMS = ("text", "image", "audio")  # that the generated sources offer, each of the modality of its name
OFFERED = {"digits": {s: s for s in STREAMS}, "cells": {"text": "text", "facts": "table"},
           "waves": {"series": "series", "text": "text"},
           "events": {"series": "series", "video": "video", "sound": "audio"}}  # by source; others: digits
World = Literal["redundant", "dominant", "unique", "synergy", "mixed"]


class Own(Section):
    """A table of a stream's own, on the clock that all streams and the manifest share; each entry names a column.

    The moment of a row is `time`; without it, that of what has no file of its own is `start`. Of files, `time` is when
    the file begins, and `start` and `end` are seconds in it.
    """

    path: str
    key: str = ""  # which recording; "": it is called like data.manifest.key
    time: str = ""
    start: str = ""
    end: str = ""
    box: tuple[()] | tuple[str, str, str, str] = ()  # of pictures: x, y, width, height of a region in pixels


class Stream(Section):
    modality: str
    table: Own | None = None  # null: it is read from the manifest
    column: str = ""  # of the manifest; "": it is called like the stream
    columns: tuple[str, ...] = ()  # of a table, in place of `column`
    anonymise: Anonymise = None  # true, or which kinds: what tells who people are is replaced as rows come in


class Digits(Section):
    world: World
    samples: Annotated[int, Field(ge=200, le=100_000)]


class Symbols(Digits):
    pass


class Cells(Section):
    samples: Annotated[int, Field(ge=200, le=1_000_000)] = 1500


class Waves(Section):
    samples: Annotated[int, Field(ge=200, le=1_000_000)] = 1500


class Events(Section):
    """Recordings in which things happen at given times. shift: by stream, seconds that its times are wrong by"""

    world: World = "dominant"
    samples: Annotated[int, Field(ge=200, le=100_000)] = 1500
    shift: dict[str, float] = Field(default_factory=dict)


class Stamps(Section):
    folder: str
    language: str


class Manifest(Section):
    path: str
    id: str
    label: str | Annotated[list[str], Field(min_length=1)]
    group: str
    split: str
    language: str
    domain: str
    start: str
    end: str
    weight: str = ""
    time: str = "time"  # when a sample is from: a date or a number
    key: str = ""  # which recording a row is of, where streams have tables of their own; "": there is one only
    outside: tuple[str, ...] = ()  # folders where media may lie, besides that of the table and this project
    unlabelled: str = ""  # another file with the columns of this one, but for the label

    @property
    def labels(self) -> list[str]:
        """The columns of the target."""
        return [self.label] if isinstance(self.label, str) else list(self.label)


class Data(Section):
    source: Literal["digits", "symbols", "cells", "waves", "events", "stamps", "manifest"]
    watch: str
    streams: Annotated[dict[str, Stream], Field(min_length=1)]  # by name, in their order
    seed: int
    digits: Digits
    symbols: Symbols
    cells: Cells = Cells()
    waves: Waves = Waves()
    events: Events = Events()
    stamps: Stamps
    manifest: Manifest


class Validate(Section):
    max_bad_fraction: Share
    min_class_count: Count
    text_length: tuple[int, int]
    image_side: tuple[int, int]
    audio_seconds: tuple[float, float]  # of sounds and clips
    placeholder_share: Share = 0.01  # of all rows, above which one value may be a placeholder
    placeholders: Literal["keep", "missing"] = "keep"  # missing: rows do without them


Take = Literal["overlap", "nearest", "before", "after", "all", "mean", "interpolate"]


class Joined(Section):
    """How the rows of one stream meet samples. take: what counts of several rows, see trivium.data.onclock."""

    tolerance: Duration | None = None  # seconds; null: align.tolerance
    take: Take | None = None  # null: what suits the modality


class Align(Section):
    """every, window: of streams with tables of their own, the time of each sample."""

    tolerance: Annotated[float, Field(ge=0)]
    every: Annotated[Duration, Field(gt=0)] | None = None  # one sample per tick of the clock
    window: tuple[Duration, Duration] | None = None  # around each moment or tick, such as [-0.5 s, 1 s]
    offset: dict[str, Duration | Literal["estimated"]] = Field(default_factory=dict)  # what is added to times
    streams: dict[str, Joined] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _some_time(self) -> Align:
        if self.window and self.window[0] >= self.window[1]:
            raise ValueError("`window` has to begin before it ends, such as [-0.5, 0.5]")
        return self


def _share_or_rows(value: float) -> float:
    if value > 1 and value != int(value):
        raise ValueError("it is a share of train (0-1), or a whole number of rows")
    return value


Labels = Annotated[float, Field(gt=0), AfterValidator(_share_or_rows)]  # of train: a share, or above 1 so many rows


class Near(Section):
    """How alike two values are, at least, that count as near-duplicates, 0-1; null: they are not looked for."""

    text: Annotated[float, Field(gt=0, le=1)] | None = 0.7  # share of the pieces that both have
    image: Annotated[float, Field(gt=0, le=1)] | None = 0.95  # correlation of the pictures, 32 pixels wide
    audio: Annotated[float, Field(gt=0, le=1)] | None = 0.9  # correlation of the spectrograms
    series: Annotated[float, Field(gt=0, le=1)] | None = 0.99  # mean correlation of the channels
    video: Annotated[float, Field(gt=0, le=1)] | None = 0.95  # correlation of the pictures of some moments


def _near(value: Any) -> Any:
    return {True: {}, False: None}[value] if isinstance(value, bool) else value


Alike = Annotated[Near | None, BeforeValidator(_near)]  # true: as alike as usual; false: not looked for


class Split(Section):
    method: Literal["holdout", "kfold", "time"]
    val: Annotated[float, Field(gt=0, lt=1)]
    test: Annotated[float, Field(gt=0, lt=1)]
    labels: Labels
    group_identical_text: bool
    near_duplicates: Alike = None  # true, or how alike: they stay on one side
    held_out_domain: str  # its samples are in no seed's train, val or test; "": none is held out
