"""New rows, a few at a time: which columns of a table are which streams, and what is in them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.modalities import is_written
from trivium.runtime.answering import BATCH
from trivium.runtime.values import NotOne, Value, times
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

Samples = list[dict[str, Value]]


@dataclass(frozen=True)
class Table:
    """streams: name -> modality, of those that the table has
    chosen: the column of `id`, of each stream that is no table, and of `times`, where there is one
    cells: of each stream of tables, its columns: the model's name -> that in the file
    inline: columns that hold whole files, as Parquet can
    unused: columns that are nothing of these
    """

    path: Path
    streams: Mapping[str, str]
    chosen: Mapping[str, str]
    cells: Mapping[str, Mapping[str, str]]
    inline: frozenset[str]
    unused: tuple[str, ...]

    @classmethod
    def of(cls, path: Path, streams: Mapping[str, str], names: Mapping[str, str] | None = None,
           cells: Mapping[str, Sequence[str]] | None = None) -> Table:
        """What a CSV, TSV, JSONL or Parquet file has of `id`, the streams, `start` and `end`.

        streams: name -> modality;  names: what params.yaml calls the columns ("title": "caption"); neither their case
        nor white space around them matters.  cells: the columns of each stream of tables; without, the one of its name;
        those that the file lacks are missing.  Raises: UserError (unreadable; no column of any stream).
        """
        from trivium.data.sources import rows

        known = rows.columns(path)
        called = {key: rows.named(name, known, path) for key, name in (names or {}).items()}
        tables = {s: {name: found for name in (cells or {}).get(s, (s,)) if (found := rows.named(name, known, path))}
                  for s, modality in streams.items() if modality == "table"}
        tables = {s: own for s, own in tables.items() if own}
        chosen: dict[str, str] = {}
        for key in ("id", *(s for s in streams if s not in tables), *times(streams)):
            own, other = rows.named(key, known, path), called.get(key)
            if other and own in [column for s, column in called.items() if s != key]:
                own = None  # a stream may be called like the column of another
            if found := own or other:
                chosen[key] = found
        there = (chosen.keys() | tables.keys()) & streams.keys()
        if not there:
            near = _near(known, streams)
            hint = "".join(f" Did you mean `{s}` by the column `{column}`?" for column, s in near.items())
            raise UserError(f"{path} has none of the columns {', '.join(streams)}; it has {', '.join(known)}.{hint}")
        used = {*chosen.values(), *(name for own in tables.values() for name in own.values())}
        return cls(path, {s: streams[s] for s in streams if s in there}, chosen, tables,
                   _inline(path, [chosen[s] for s in chosen if s in streams and not is_written(streams[s])]),
                   tuple(name for name in known if name not in used))

    def lacks(self, streams: Sequence[str], cells: Mapping[str, Sequence[str]]) -> str | None:
        """Which of the `streams` that a model reads, and of their `cells`, the table has no column for, in a sentence.
        """
        gone = [s for s in streams if s not in self.streams and s not in cells]
        gone += [name for s in streams for name in cells.get(s, ()) if name not in self.cells.get(s, ())]
        if not gone:
            return None
        hints = "".join(f" Did you mean `{name}` by the column `{column}`?"
                        for column, name in _near(self.unused, gone).items())
        what = f"column `{gone[0]}`" if len(gone) == 1 else f"columns {', '.join(f'`{name}`' for name in gone)}"
        return f"{self.path} has no {what}, so every row is answered without.{hints}"

    def count(self) -> float:
        """Of rows, where the file says that; else without end."""
        if self.path.suffix.lower() != ".parquet":
            return math.inf
        import pyarrow.parquet as pq

        return float(pq.read_metadata(self.path).num_rows)

    def samples(self) -> Iterator[Samples]:
        """Up to `BATCH` rows at a time: the value of each stream, `id`, `start` and `end`. Raises: UserError."""
        odd, row = set[tuple[int, str]](), 0
        for piece, files in self._pieces(odd):
            made = self._read(piece).to_pylist() if piece.num_columns else [{} for _ in next(iter(files.values()))]
            for key, column in self.chosen.items():
                for sample, value in zip(made, files.get(column, ()), strict=False):
                    sample[key] = self._place(value)
            for at, column in sorted(one for one in odd if one[0] < row + len(made)):
                for key in (key for key in self.streams if self.chosen.get(key) == column):
                    made[at - row][key] = NotOne(made[at - row][key])
                odd.remove((at, column))
            row += len(made)
            yield made

    def _read(self, piece: pa.Table) -> pa.Table:
        import pyarrow as pa

        from trivium.data.sources.manifest import values

        made: dict[str, Any] = {}
        for key, column in self.chosen.items():
            if column in self.inline:
                continue
            made[key] = values(self.streams[key], {key: piece[column]}) if key in self.streams else piece[column]
            if key in self.streams and not is_written(self.streams[key]):
                made[key] = pa.array([self._place(value) for value in made[key].to_pylist()], pa.string())
        for s, own in self.cells.items():
            made[s] = values("table", {name: piece[column] for name, column in own.items()})
        return pa.table(made)

    def _place(self, value: Value) -> Value:
        """A path as seen from the folder of the table; content as it is."""
        from trivium.data.sources.spelled import located

        if not isinstance(value, str):
            return value  # of no bytes is an empty file, and not a missing one
        if not value or value.startswith("data:"):
            return value or None
        return located(value, self.path.parent)

    def _pieces(self, odd: set[tuple[int, str]]) -> Iterator[tuple[pa.Table, dict[str, list[Value]]]]:
        """Columns of texts, and the values of those that hold files. odd: see `jsonl.pieces`"""
        from trivium.data.sources import rows

        wanted = sorted({*self.chosen.values(), *(name for own in self.cells.values() for name in own.values())})
        plain = [name for name in wanted if name not in self.inline]
        if not self.inline:
            for piece in rows.pieces(self.path, plain, odd=odd):
                for start in range(0, len(piece), BATCH):
                    yield piece.slice(start, BATCH), {}
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self.path, pre_buffer=False) as file:  # else it holds all that it has read
                for batch in file.iter_batches(BATCH, columns=wanted, use_threads=False):
                    texts = {name: rows.strings(pa.chunked_array([batch[name]]), name, self.path) for name in plain}
                    files = {name: [_content(value) for value in batch[name].to_pylist()] for name in self.inline}
                    yield pa.table(texts), files
        except (pa.ArrowException, OSError) as error:
            raise rows.unreadable(self.path, error) from None


def _inline(path: Path, columns: Sequence[str]) -> frozenset[str]:
    """Those of the `columns` that hold bytes, or pairs of bytes and path as Hugging Face writes them."""
    if path.suffix.lower() != ".parquet":
        return frozenset()
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)

    def holds(kind: pa.DataType) -> bool:
        if pa.types.is_struct(kind):
            return any(field.name == "bytes" and holds(field.type) for field in kind)
        return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))

    return frozenset(name for name in columns if holds(schema.field(name).type))


def _content(value: Any) -> Value:
    if not isinstance(value, dict):
        return value
    return value.get("bytes") or value.get("path") or value.get("bytes")  # an empty file is none that is missing


def _near(columns: Sequence[str], wanted: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    """Of columns that are called nearly like something wanted: what that is."""
    plain = {name.casefold(): name for name in wanted}
    found = {column: difflib.get_close_matches(column.strip().casefold(), plain, 1, 0.7) for column in columns}
    return {column: plain[near[0]] for column, near in found.items() if near}
