"""`meta.json` of data/raw, data/valid and data/aligned: what is known of the data besides its rows."""

from __future__ import annotations

from typing import Any, Literal

from trivium.data.cut import Cut
from trivium.data.out import Out, Part
from trivium.modalities.anonymised import Rules, said


class World(Part):
    """What is known of generated data: bits about the label, and the best possible accuracy (0-1), from each stream
    alone and from `all` together.
    """

    name: str
    bits: dict[str, float]
    bayes: dict[str, float]


class Anonymised(Part):
    """What was done to the texts of a stream: of `rows` so many `texts` had anything, and how many finds of each kind.
    """

    rules: Rules
    rows: int
    texts: int
    found: dict[str, int]

    @property
    def said(self) -> str:
        return said(self.found, self.texts, self.rows)


class Meta(Out):
    """root: of the paths in the tables, as seen from the project;  card: Markdown, what this data is and is not;
    target: the columns that people know labels by;  anonymised: by stream, those that are;
    clock: what people see times as, where streams have tables of their own; times are seconds, dates since 1970 (UTC)
    cut: into stretches, of recordings as they were imported; of those on a clock, see `timeline`

    From validate on: streams, name -> modality, and task, what is predicted (`Task.plain`); placeholders: by stream,
    digests of what was taken for missing.
    """

    root: str
    source: str = ""
    title: str = ""
    card: str = ""
    world: World | None = None
    target: tuple[str, ...] = ("label",)
    anonymised: dict[str, Anonymised] | None = None
    clock: Literal["dates", "seconds"] | None = None
    cut: Cut | None = None
    streams: dict[str, str] | None = None
    task: dict[str, Any] | None = None
    placeholders: dict[str, tuple[str, ...]] | None = None
