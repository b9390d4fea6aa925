"""Files of Arrow and Parquet, many of one data set, read a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from trivium.importing import features, splits
from trivium.importing.asked import Row, Rows
from trivium.settings.errors import UserError

FEW, MANY = 64, 4096  # rows at a time, where files may lie in them and where not


def rows(files: Sequence[tuple[str, Path]]) -> Rows:
    """files: what each is called, which may speak of a split, and where it is.

    Raises: UserError (a file that is cut off or damaged).
    """
    sides = splits.some(name for name, _ in files)
    for name, path in files:
        side = {"split": splits.of(name)} if sides else {}
        for row in one(path):
            yield row if "split" in row else row | side


def one(path: Path) -> Iterator[Row]:
    """The rows of one file. Raises: UserError."""
    with _damage_told(path):
        every = batches(path)
        first = next(every, None)
        if first is None:
            return
        found = features.described(first.schema)
        yield from features.rows(first, found)
        for batch in every:
            yield from features.rows(batch, found)


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Of Parquet or Arrow, by its ending. Raises: UserError."""
    with _damage_told(path):
        yield from _parquet(path) if path.suffix.lower() == ".parquet" else _arrow(path)


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        said = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise UserError(f"{path} is cut off or damaged ({said}): fetch or write this file again.") from None


def _parquet(path: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:  # else all of it is kept in memory
        kinds = [field.type for field in file.schema_arrow]
        heavy = any(pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
                    for kind in kinds)
        for group in range(file.num_row_groups):
            for batch in file.iter_batches(FEW if heavy else MANY, row_groups=[group], use_threads=False):
                batch.validate(full=True)
                yield batch


def _arrow(path: Path) -> Iterator[pa.RecordBatch]:
    """A stream as `save_to_disk` writes it; or a file of Arrow, whose first six bytes say so."""
    with pa.memory_map(str(path)) as file:
        if file.read(6) == b"ARROW1":
            whole = pa.ipc.open_file(file)
            yield from (part for k in range(whole.num_record_batches) for part in _parts(whole.get_batch(k)))
            return
        file.seek(0)
        for batch in pa.ipc.open_stream(file):
            yield from _parts(batch)


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    batch.validate(full=True)  # a wrong offset in a damaged file would end the process
    for start in range(0, len(batch), FEW):
        yield batch.slice(start, FEW)
