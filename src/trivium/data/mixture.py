"""Several rows of a table made one: numbers are averaged, and of all else the text counts that has the most weight."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from trivium.modalities.columns import packed
from trivium.modalities.columns.typed import Column, guess

DIGITS = 12  # that are written of a number


class Mixture:
    """values: packed rows (see `packed`), by which it is told what is a number in each column. None is null."""

    def __init__(self, values: pa.ChunkedArray) -> None:
        self.names = packed.names(values[0].as_py()) if len(values) else []
        columns = {name: Column(cells) for name, cells in packed.unpack(values, self.names).items()}
        self.numbers = {name for name, one in columns.items()
                        if guess(one, one.counts(np.ones(len(values), bool))) == "number"}

    def of(self, values: pa.Array, weight: np.ndarray, count: np.ndarray) -> pa.Array:
        """A packed row for each sample. count: int64 [N], above 0, how many of the `values` are of each, in order"""
        if not len(count):
            return values
        sample, made = np.repeat(np.arange(len(count)), count), {}
        for name, cells in packed.unpack(values, self.names).items():
            column = Column(cells)
            found = _most(column, weight, sample, len(count))
            if name in self.numbers:
                means = _means(column, weight, sample, len(count))
                found = [text if np.isnan(mean) else f"{mean:.{DIGITS}g}"
                         for text, mean in zip(found, means.tolist(), strict=True)]
            made[name] = pa.chunked_array([found], pa.string())
        return packed.pack(made).combine_chunks()


def _means(column: Column, weight: np.ndarray, sample: np.ndarray, samples: int) -> np.ndarray:
    """float64 [samples], NaN where no cell is a number."""
    value = np.append(column.numbers, np.nan)[column.code]
    there = ~np.isnan(value)
    total = np.bincount(sample[there], weight[there], samples)
    sums = np.bincount(sample[there], weight[there] * value[there], samples)
    return np.where(total > 0, sums / np.where(total > 0, total, 1), np.nan)


def _most(column: Column, weight: np.ndarray, sample: np.ndarray, samples: int) -> list[str | None]:
    """Of equals the one that comes first; None where all cells are empty."""
    there = column.code >= 0
    texts = max(1, len(column.texts))
    each, first, place = np.unique(sample[there] * texts + column.code[there], return_index=True, return_inverse=True)
    total = np.bincount(place, weight[there], len(each))
    found = np.full(samples, -1)
    order = np.lexsort((-first, total))  # the last one of a sample stays
    found[each[order] // texts] = each[order] % texts
    said = [*column.texts.to_pylist(), None]
    return [said[k] for k in found.tolist()]
