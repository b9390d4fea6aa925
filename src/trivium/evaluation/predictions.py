"""`predictions.parquet`: what a strategy's models answered to every test sample, written and read in pieces. With 1,000
classes and 1,000,000 samples the whole is gigabytes, and a stage holds no more than a piece of it.

Columns: seed int32; sample string; y, prediction (the target and what is predicted, as `Task.column` writes them);
answer float32 [A] (as `Task.stored` has it: of classes their probabilities). Rows by seed, then in the order of the
data: the same for every strategy. A piece is of one seed.

Legend: `B` samples of a piece, `A` numbers of an answer.
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

from trivium.tasks import Task

ROWS = 8192  # of a piece at most, and about those of a row group in the file: 32 MB with 1,000 classes
NAMES = ("seed", "sample", "y", "prediction", "answer")


def schema(task: Task) -> pa.Schema:
    target = task.column(task.example(0).numpy()).type
    return pa.schema(list(zip(NAMES, (pa.int32(), pa.string(), target, target, pa.list_(pa.float32())), strict=True)))


@contextmanager
def writer(path: Path, like: Task | pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Yields `add(piece)`, which appends tables of one schema to a new file. The same pieces give the same bytes."""
    waiting: list[pa.Table] = []

    def flush() -> None:
        file.write_table(pa.concat_tables(waiting))
        waiting.clear()

    def add(piece: pa.Table) -> None:
        waiting.append(piece)
        if sum(map(len, waiting)) >= ROWS:
            flush()

    with pq.ParquetWriter(path, like if isinstance(like, pa.Schema) else schema(like), compression="zstd") as file:
        yield add
        if waiting:
            flush()


def table(task: Task, seed: int, samples: list[str], y: np.ndarray, stored: NDArray[np.float64]) -> pa.Table:
    """A piece of one seed: targets [B, *T], stored answers [B, A]."""
    count, width = stored.shape
    flat = pa.array(stored.astype(np.float32).reshape(-1))
    offsets = pa.array(np.arange(0, count * width + 1, width, dtype=np.int32))
    columns = [np.full(count, seed, np.int32), samples, task.column(y), task.column(task.prediction(stored)),
               pa.ListArray.from_arrays(offsets, flat)]
    return pa.table(dict(zip(NAMES, columns, strict=True)), schema(task))


def join(parts: Iterable[Path], path: Path) -> None:
    """The rows of files that were written side by side, one file after the other; each is removed once it was read."""
    parts = list(parts)
    with writer(path, pq.read_schema(parts[0])) as add:
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


def answers(piece: pa.RecordBatch) -> NDArray[np.float32]:
    """[B, A]"""
    return piece["answer"].flatten().to_numpy().reshape(len(piece), -1)


def _may_hold(group: Any, seed: int) -> bool:
    seeds = group.column(NAMES.index("seed")).statistics
    return seeds.min <= seed <= seeds.max
