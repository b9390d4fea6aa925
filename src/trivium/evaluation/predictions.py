"""`predictions.parquet`: what a strategy's models answered to every test sample, written and read in pieces. With 1,000
classes and 1,000,000 samples the whole is gigabytes, and a stage holds no more than a piece of it.

Columns: seed, y, prediction int32; sample string; probabilities float32 [C]. Rows by seed, then in the order of the
data: the same for every strategy. A piece is of one seed.

Legend: `B` samples of a piece, `C` classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

ROWS = 8192  # of a piece at most, and about those of a row group in the file: 32 MB with 1,000 classes
SCHEMA = pa.schema([("seed", pa.int32()), ("sample", pa.string()), ("y", pa.int32()), ("prediction", pa.int32()),
                    ("probabilities", pa.list_(pa.float32()))])


@contextmanager
def writer(path: Path) -> Iterator[Callable[[pa.Table], None]]:
    """Yields `add(piece)`, which appends tables of `SCHEMA` to a new file. The same pieces give the same bytes."""
    waiting: list[pa.Table] = []

    def flush() -> None:
        file.write_table(pa.concat_tables(waiting))
        waiting.clear()

    def add(piece: pa.Table) -> None:
        waiting.append(piece)
        if sum(map(len, waiting)) >= ROWS:
            flush()

    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as file:
        yield add
        if waiting:
            flush()


def table(seed: int, samples: list[str], y: NDArray[np.int64], probabilities: NDArray[np.float64]) -> pa.Table:
    """A piece of one seed: labels [B], probabilities [B, C]."""
    count, classes = probabilities.shape
    flat = pa.array(probabilities.astype(np.float32).reshape(-1))
    offsets = pa.array(np.arange(0, count * classes + 1, classes, dtype=np.int32))
    columns = [np.full(count, seed, np.int32), samples, y.astype(np.int32),
               probabilities.argmax(1).astype(np.int32), pa.ListArray.from_arrays(offsets, flat)]
    return pa.table(dict(zip(SCHEMA.names, columns, strict=True)), SCHEMA)


def join(parts: Iterable[Path], path: Path) -> None:
    """The rows of files that were written side by side, one file after the other; each is removed once it was read."""
    with writer(path) as add:
        for part in parts:
            for _, piece in read(part):
                add(pa.Table.from_batches([piece]))
            part.unlink()


def read(path: Path, seed: int | None = None) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Seed and rows of each piece, in the order of the file; `seed`: of that one alone."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):  # one by one: read together, they all stay in memory to the end
            if seed is None or _may_hold(file.metadata.row_group(group), seed):
                for piece in file.iter_batches(ROWS, [group], use_threads=False):
                    yield from _by_seed(piece, seed)


def _by_seed(piece: pa.RecordBatch, chosen: int | None) -> Iterator[tuple[int, pa.RecordBatch]]:
    seeds = piece["seed"].to_numpy()
    for start, stop in pairwise([0, *(1 + np.flatnonzero(np.diff(seeds))), len(seeds)]):
        if chosen in (None, seeds[start]):
            yield int(seeds[start]), piece.slice(start, stop - start)


def probabilities(piece: pa.RecordBatch) -> NDArray[np.float32]:
    """[B, C]"""
    return piece["probabilities"].flatten().to_numpy().reshape(len(piece), -1)


def _may_hold(group: Any, seed: int) -> bool:
    seeds = group.column(SCHEMA.names.index("seed")).statistics
    return seeds.min <= seed <= seeds.max
