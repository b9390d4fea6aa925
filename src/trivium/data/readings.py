"""What a recipe's encoders read: `data/reads/RECIPE.json`, written by preprocess.

Whatever is made from a recipe depends on this file alone: it names the tensors and holds their digests, so that a new
encoder, or another processor, changes nothing for the recipes that do not use it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trivium.data.out import Out, Part
from trivium.data.tables import digest, read_json, write_json
from trivium.data.telling import said

READS = Path("data/reads")
MOST_LOST = 0.02  # share of all tokens, or seconds, that may be dropped without a warning
FAR = 10  # times as long as the others are: rows that are cut, where a few hold most of what there is


class Read(Part):
    """What one stream's encoder reads.

    entry: the encoder's name in params.yaml;  encoder: see `encoders.Described.plain`;  spec: see `Spec.plain`
    features: a folder below data/features;  digest: of what is in it
    values: digest of the texts that the tensors were made of; null for what is not text
    cut: how much of the stream the processor drops, and which samples are gaps alone, see `rows.Cut`
    columns: of its file `x.arrow`, the one to read at each seed;  statistics: per seed, mean and deviation, or null
    """

    entry: str
    encoder: dict[str, Any]
    spec: dict[str, Any]
    features: str
    digest: str
    values: str | None = None
    columns: tuple[str, ...]
    cut: dict[str, Any] | None
    statistics: tuple[dict[str, list[float]] | None, ...]

    @property
    def warnings(self) -> list[str]:
        """In words: samples of which there are gaps alone, and where more is dropped than `MOST_LOST`."""
        if self.cut is None:
            return []
        found, setting = [], f"encoder.{self.entry}.processor"
        if empty := self.cut.get("empty"):
            names = self.encoder["processor"].get("channels", ())
            where = f"the channels {', '.join(names[:8])}" if names else "the first channel"
            found.append(f"{empty['rows']:,} of {empty['of']:,} have no value in {where} of the encoder "
                         f"`{self.entry}`, such as `{empty['sample']}`: models see gaps alone. Set "
                         f"`{setting}.channels` in params.yaml, or mend the files.")
        lost, rows = self.cut["lost"], self.cut["rows"]
        whole = f"`{setting}.{self.cut['setting']}` in params.yaml sets how much"
        if lost > MOST_LOST and lost * (1 - rows) > FAR * rows * (1 - lost):
            found.append(f"{_percent(rows)} of the rows are far longer than the encoder `{self.entry}` reads: in their "
                         f"ends, which it does not see, lie {_percent(lost)} of all {self.cut['unit']}. Look at these "
                         f"rows first; {whole} it reads.")
        elif lost > MOST_LOST:
            found.append(f"the encoder `{self.entry}` does not see {_percent(lost)} of all {self.cut['unit']}: "
                         f"{_percent(rows)} of the rows are longer than it reads. {whole} that is.")
        return found


def _percent(share: float) -> str:
    """Whole, and never all or nothing of what is only nearly so."""
    return "less than 1%" if 0 < share < 0.005 else "more than 99%" if 0.995 < share < 1 else f"{share:.0%}"


def warnings(root: Path) -> list[str]:
    """What the encoders of all recipes do not see, in words, each thing once, and columns of tables that hold the
    answer; empty before preprocess ran.
    """
    found = dict[str, None]()
    for path in sorted((root / READS).glob("*.json")):
        for stream, read in Reads.read(path).streams.items():
            found |= {f"{stream}: {words}": None for words in read.warnings}  # in order
    return [*found, *(said(stream, one) for stream, about in columns(root).items() for one in about["telling"])]


def columns(root: Path) -> dict[str, dict[str, Any]]:
    """Of each stream of tables, its `columns` and those that are `telling`; empty before preprocess ran."""
    path = root / "data/features/features.json"
    return read_json(path).get("tables", {}) if path.exists() else {}


class Reads(Out):
    """samples: digest of the samples, their targets, weights and splits;  task: of what is predicted of them, and how
    (a regression's loss): what is trained depends on it, and what is taken as it comes does not.
    """

    samples: str
    task: str = ""
    streams: dict[str, Read]

    @property
    def digest(self) -> str:
        """Of all of it, but for the names of encoders."""
        parts = [[s, read.encoder, read.features, read.digest] for s, read in self.streams.items()]
        return digest(json.dumps([self.samples, self.task, parts], sort_keys=True).encode())

    def write(self, path: str | Path) -> None:
        """In the order of the streams, and with what is null."""
        write_json(self.model_dump(mode="json"), path, sort=False)
