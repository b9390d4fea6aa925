"""Which samples are kept together because what they have is nearly the same: how many, and some to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trivium.data import tables
from trivium.data.out import Part

if TYPE_CHECKING:
    from trivium.data.twins import Twins

EXAMPLES = 3
SHOWN = 80  # characters of a value


class Pair(Part):
    """Names of two samples, the earlier one first, and the value of each."""

    one: str
    other: str
    one_value: str
    other_value: str


class Nearly(Part):
    """Of a stream: so many samples are of a group in which values are nearly the same; pairs of different groups."""

    stream: str
    samples: int
    examples: tuple[Pair, ...]


def found(samples: Path, twins: Sequence[Twins]) -> tuple[Nearly, ...] | None:
    """Per stream that has such values; None where there is none. samples: a table; twins: see `twins.find`"""
    every = []
    for own in twins:
        a, b = own.near.T
        tied = (own.row[a] != own.row[b]) & (own.code[a] >= 0)  # the values of one sample are together anyway
        pairs = own.near[tied]
        joined = np.isin(own.code, own.code[pairs[:, 0]])
        for k, stream in enumerate(own.names):
            count = len(np.unique(own.row[joined & (own.stream == k)]))
            if count:
                every.append(Nearly(stream=stream, samples=count, examples=_examples(samples, own, pairs, k)))
    return tuple(every) or None


def _examples(samples: Path, own: Twins, pairs: np.ndarray, stream: int) -> tuple[Pair, ...]:
    """The first pair of each of the first groups, one of which at least is of the stream."""
    mine = pairs[(own.stream[pairs] == stream).any(1)]
    _, first = np.unique(own.code[mine[:, 0]], return_index=True)
    chosen = mine[np.sort(first)[:EXAMPLES]]
    table = tables.read(samples, ["sample", *own.names])

    def cell(column: str, place: int) -> str:
        return str(table[column][int(own.row[place])].as_py())

    return tuple(Pair(one=cell("sample", a), one_value=cell(own.names[own.stream[a]], a)[:SHOWN],
                      other=cell("sample", b), other_value=cell(own.names[own.stream[b]], b)[:SHOWN])
                 for a, b in (sorted(pair, key=own.row.__getitem__) for pair in chosen.tolist()))
