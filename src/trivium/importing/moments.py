"""A long table, read recording by recording: where the rows of each stand together, little of it is held at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data.sources import delimited
from trivium.data.sources import rows as read
from trivium.modalities.recordings import Times, clock, epochs
from trivium.modalities.recordings.arrays import MISSING

Part = dict[str, pa.Array]  # rows of one recording, by column


def head(path: Path, names: Sequence[str], most: int) -> pa.Table:
    """The first rows."""
    found, count = [], 0
    for batch in _batches(path, names):
        found.append(batch)
        count += len(batch)
        if count >= most:
            break
    return pa.Table.from_batches(found).slice(0, most)


def parts(path: Path, key: str, columns: Sequence[str]) -> Iterator[tuple[str, Part]]:
    """Each recording's key and its rows, in their order; without a key, all of it under the name of the file."""
    wanted = list(dict.fromkeys([*([key] if key else []), *columns]))
    if not key:
        whole = pa.Table.from_batches(list(_batches(path, wanted)))
        yield path.stem, {name: whole[name].combine_chunks() for name in columns}
        return
    if _together(path, key):
        yield from _each(_batches(path, wanted), key, columns)
        return
    whole = pa.Table.from_batches(list(_batches(path, wanted)))
    order = np.argsort(whole[key].combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy(), kind="stable")
    yield from _each(whole.take(pa.array(order)).combine_chunks().to_batches(), key, columns)


def _each(batches: Iterator[pa.RecordBatch] | list[pa.RecordBatch], key: str, columns: Sequence[str],
          ) -> Iterator[tuple[str, Part]]:
    """Rows of one key stand together. Those without a key are passed over."""
    held: list[pa.RecordBatch] = []
    name: str | None = None

    def made() -> tuple[str, Part]:
        table = pa.Table.from_batches(held)
        return str(name), {column: table[column].combine_chunks() for column in columns}

    for batch in batches:
        keys = read.strings(pa.chunked_array([batch[key]]), key, Path(key)).combine_chunks()
        code = keys.dictionary_encode()
        each = code.indices.fill_null(-1).to_numpy()
        begins = np.flatnonzero(np.diff(each, prepend=-2))
        for a, b in zip(begins, np.append(begins[1:], len(each)), strict=True):
            own = keys[int(a)].as_py()
            if own != name:
                if held:
                    yield made()
                held, name = [], own
            if own is not None:
                held.append(batch.slice(int(a), int(b - a)))
    if held:
        yield made()


def _together(path: Path, key: str) -> bool:
    """Whether the rows of each key stand together."""
    seen, last = set[str](), None
    for batch in _batches(path, [key]):
        code = batch[key].dictionary_encode()
        each = code.indices.fill_null(-1).to_numpy()
        names = [*code.dictionary.to_pylist(), None]
        for at in each[np.flatnonzero(np.diff(each, prepend=-2))].tolist():
            name = names[at]
            if name == last:
                continue
            if name in seen:
                return False
            seen.add(name)
            last = name
    return True


def _batches(path: Path, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    if path.suffix.lower() == ".parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
            yield from file.iter_batches(1 << 16, columns=list(names), use_threads=False)
        return
    for piece in delimited.pieces(path, names):
        for batch in piece.to_batches():
            yield pa.record_batch({name: _blank(batch[name]) for name in names})


def _blank(cells: pa.Array) -> pa.Array:
    return pc.if_else(pc.is_in(cells, pa.array(MISSING)), None, cells)


def seconds(name: str, cells: pa.Array | pa.ChunkedArray) -> np.ndarray | None:
    """float64 [N]; None of what is no time."""
    try:
        return clock.seconds(name, cells)
    except ValueError:
        return None


def timed(name: str, cells: pa.Array) -> tuple[np.ndarray, str]:
    """float64 [N]; and why they cannot be the times of a recording, "" if they can."""
    try:
        found = clock.seconds(name, cells)
    except ValueError as error:
        return np.zeros(0), str(error)
    return found, Times(found).wrong if len(found) else "it has no points"


def epoch(cells: pa.Array) -> str:
    """The unit of numbers that count from 1970; "" of anything else."""
    made = time(cells)
    return epochs.unit(np.asarray(made.cast(pa.float64()), float)) if not pa.types.is_temporal(made.type) and (
        pa.types.is_integer(made.type) or pa.types.is_floating(made.type)) else ""


def time(cells: pa.Array) -> pa.Array:
    """As numbers, or moments, where they all are; else as they are, for `validate` to judge."""
    if not pa.types.is_string(cells.type):
        return cells
    for kind in (pa.float64(), pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
        try:
            return cells.cast(kind)
        except pa.ArrowException:
            continue
    return cells


def moment(cell: pa.Scalar) -> str | float | None:
    """One time as a cell of a table: a number, or a date."""
    if cell.is_valid and (pa.types.is_temporal(cell.type)):
        return str(cell.cast(pa.string()).as_py())
    found: str | float | None = cell.as_py()
    return found


def numbers(cells: pa.Array) -> pa.Array:
    """As numbers, where they all are."""
    if not pa.types.is_string(cells.type):
        return cells
    try:
        return cells.cast(pa.float64())
    except pa.ArrowException:
        return cells


def numeric(cells: pa.ChunkedArray) -> bool:
    """Whether most of what is there is numbers."""
    if pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type) or pa.types.is_boolean(cells.type):
        return True
    if not pa.types.is_string(cells.type):
        return False
    some = list(islice((cell for cell in cells.drop_null().to_pylist()), 2000))
    good = 0
    for cell in some:
        try:
            float(cell)
        except ValueError:
            continue
        good += 1
    return bool(some) and good > 0.9 * len(some)
