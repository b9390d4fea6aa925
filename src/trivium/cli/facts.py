"""Which columns of a manifest make a table: what nothing else takes, and what rows have in common values of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trivium.cli import columns
from trivium.data.sources import rows
from trivium.modalities.columns.typed import Column, guess

NAME = "facts"  # of the stream
MOST_DIFFERENT = 0.5  # different values of a category per row; with more it is names, or prose


@dataclass(frozen=True)
class Facts:
    """taken: column -> type.  left: column -> why it is left out."""

    taken: dict[str, str]
    left: dict[str, str]

    @property
    def words(self) -> list[str]:
        """A note for people each."""
        said = []
        if self.taken:
            said.append(f"note: {NAME} is a table of " + ", ".join(f"`{name}` ({kind})" for name, kind in
                                                                  self.taken.items())
                        + ". Another type: `processor: {types: {...}}` of the encoder that reads it.")
        if self.left:
            said.append(f"note: left out of {NAME}: " + ", ".join(f"`{name}` ({why})" for name, why in
                                                                 self.left.items()) + ".")
        return said


def find(path: Path, free: Sequence[str]) -> Facts:
    """Of the columns `free` of the file at `path`, those with one value per row."""
    flat = [name for name in free if name in rows.look(path, 1)]
    if not flat:
        return Facts({}, {})
    table, taken, left = rows.read(path, flat), dict[str, str](), dict[str, str]()
    for name in flat:
        column = Column(table[name])
        counts = column.counts(np.ones(len(table), bool))
        kind, there, different = guess(column, counts), int(counts.sum()), int((counts > 0).sum())
        if not there:
            continue
        if different == 1:
            left[name] = "one value in all rows"
        elif columns.ending([text for text in column.texts.slice(0, columns.LOOK).to_pylist() if text]):
            left[name] = "names of files"
        elif kind == "category" and different > MOST_DIFFERENT * there:
            left[name] = "nearly every row has a value of its own"
        elif kind == "number" and different == there and not (column.numbers % 1 > 0).any():
            left[name] = "whole numbers that are all different, like an id"
        else:
            taken[name] = kind
    return Facts(taken, left)


def kept(path: Path, names: Sequence[str], streams: Mapping[str, Any]) -> dict[str, list[str]]:
    """Tables that params.yaml names, whose columns are all there; under the names that it gives them."""
    found = {}
    for s, one in streams.items():
        if isinstance(one, Mapping) and one.get("modality") == "table":
            wanted = [str(column) for column in one.get("columns") or [one.get("column") or s]]
            if all(rows.named(column, names, path) for column in wanted):
                found[str(s)] = wanted
    return found


def read_everywhere(settings: Mapping[str, Any]) -> bool:
    """Whether every recipe has an encoder for tables."""
    return all(isinstance(one, Mapping) and "table" in (one.get("encoders") or {})
               for one in settings["pretrain"].values())
