"""The tables between the stages: their columns, and how they are read and written.

A table per stream, called like it (`photo.parquet`, `title.parquet`):
    key     string   joins to `labels.key`
    value   string   the text itself, or the path of the medium relative to `meta.json`'s `root`
    digest  string   of the content, so that a changed file is noticed by every later stage
    start, end  float64, seconds; optional: the part of the recording that the row is about

`labels.parquet`, one row per sample:
    sample  string, unique;  key  string;  label  string, null: none, so it serves recipes without labels alone
    group, domain, language, split  string or null; optional
    start, end  float64, seconds; optional
    time  string or null: when the sample is from, as the data writes it; there only where the data has it

`samples.parquet` (after align), one row per sample, in the order of `sample`:
    sample, label, group, domain, language, split (nulls where unknown), y (see `Task.column`; null without a label)
    duplicate_group  string or null: rows that share content
    per stream s:  s  string or null (value),  s_start, s_end  float64 or null (seconds),  has_s  bool
    and of media  s_digest  string or null: a changed file changes this table, and so all that is made of it
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from trivium.machine import files
from trivium.settings.errors import UserError

GROUPS = 3  # that a test set needs, at least, to tell how much groups differ
GROUP = 1 << 17  # rows of a row group: whoever reads a table by pieces holds no more of it
PIECE = 1 << 16  # rows that are worked on at a time
SPLITS = ("train", "val", "test", "unlabelled", "unused", "domain")  # domain: held out, see settings.Split


def read(path: str | Path, columns: Sequence[str] | None = None) -> pa.Table:
    with pq.ParquetFile(path) as file:  # `read_table` imports pyarrow's datasets, which every stage would wait for
        return file.read(columns)


def write(table: pa.Table, path: str | Path) -> None:
    """The same table gives the same bytes: no pandas metadata, no timestamps."""
    with files.whole(path) as scratch:
        pq.write_table(table.replace_schema_metadata(None), scratch, compression="zstd", row_group_size=GROUP)


class Writer:
    """A table that is written a piece at a time, with the bytes that `write` gives all of it.

    Use as a context manager: the file is there when the block ends, and not when it fails.
    """

    def __init__(self, path: str | Path) -> None:
        self._whole = files.whole(path)
        self._waiting = list[pa.Table]()
        self._file: pq.ParquetWriter | None = None

    def add(self, piece: pa.Table) -> None:
        """Every piece has the same columns."""
        self._waiting.append(piece.replace_schema_metadata(None))
        while sum(map(len, self._waiting)) >= GROUP:
            both = pa.concat_tables(self._waiting)
            self._waiting = [both.slice(GROUP)]
            self._write(both.slice(0, GROUP))

    def _write(self, rows: pa.Table) -> None:
        if self._file is None:
            self._file = pq.ParquetWriter(self._scratch, rows.schema, compression="zstd")
        self._file.write_table(rows.combine_chunks(), row_group_size=GROUP)

    def __enter__(self) -> Writer:
        self._scratch = self._whole.__enter__()
        return self

    def __exit__(self, *failed: Any) -> None:
        if failed[0] is None and self._waiting and (self._file is None or any(map(len, self._waiting))):
            self._write(pa.concat_tables(self._waiting))
        if self._file is not None:
            self._file.close()
        self._whole.__exit__(*failed)


def pieces(path: str | Path, columns: Sequence[str] | None = None, rows: int = PIECE) -> Iterator[pa.Table]:
    """A table, at most `rows` rows at a time; one piece at least. Arrow's `pre_buffer` would keep all that is read."""
    with pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
        found = file.iter_batches(rows, columns=columns, use_threads=False)
        for batch in found if file.metadata.num_rows else ():
            yield pa.Table.from_batches([batch])
        if not file.metadata.num_rows:
            yield file.read(columns)


def names(path: str | Path) -> list[str]:
    return list(pq.read_schema(path).names)


def count(path: str | Path) -> int:
    """Rows of a table."""
    return int(pq.read_metadata(path).num_rows)


def read_json(path: str | Path) -> Any:
    """Raises: UserError (empty or broken: something else than a stage has written there)."""
    try:
        return json.loads(files.text(path))
    except ValueError as error:
        what = "is empty" if Path(path).stat().st_size == 0 else f"is not valid JSON ({error})"
        raise UserError(f"{path} {what}: a disk that was full or an editor may have left it so. Remove it and run "
                        "`dvc repro`, which brings it back from the cache or makes it again.") from None


def write_json(value: Any, path: str | Path, sort: bool = True) -> None:
    """sort: False where the order of keys says something."""
    files.write(path, json.dumps(value, indent=1, sort_keys=sort, ensure_ascii=False, allow_nan=False) + "\n")


def read_yaml(path: str | Path) -> dict[str, Any]:
    """The content of a YAML file, {} when there is none. Raises: UserError (it is not YAML)."""
    if not Path(path).exists():
        return {}
    import yaml  # the C loader: dvc.lock can be long

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(files.text(path), Loader=loader) or {}
    except yaml.YAMLError as error:
        mend = "`trivium repair` mends it." if Path(path).name == "dvc.lock" else "Mend it there."
        raise UserError(f"{path} is not valid YAML ({' '.join(str(error).split())}). {mend}") from None


def rounded(value: Any) -> Any:
    """A JSON value with six decimals: more are noise, and would make the file three times as large."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return round(value, 6) if isinstance(value, float) else value


def digest(content: bytes) -> str:
    """128 bits of BLAKE2b, hexadecimal."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()
