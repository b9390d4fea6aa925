"""Raw tables, and the frames in which Great Expectations sees them: each row beside what was measured of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data import tables
from trivium.data.linked_rows import Known, numbered, repeated
from trivium.data.probe import Measures
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from trivium.tasks import Task

LABELS = ("sample", "key", "label", "group", "domain", "language", "split", "start", "end")
STREAM = ("key", "value", "digest", "start", "end")
CLOCK = ("clock", "sample", "place")  # columns of streams where there is a common clock; labels have `clock` alone
SPLIT_NAMES = {"dev": "val", "valid": "val", "validation": "val", "training": "train", "testing": "test"}
JUDGED = 1 << 17  # rows that Great Expectations sees at a time
VALUE_SHOWN = 100  # characters of a value in a message


@dataclass
class Rows:
    """A raw table, which stays on the disk: it is read a piece at a time. names: its columns, which it may lack there.

    key: int64 per row, its key as a number, -1 for one that no label has or none at all
    timed: whether any row has a start or an end;  trimmed: whether cells are, as of labels, and blank ones null
    out: why rows are in quarantine, by row;  excused: those of them that count for no limit of bad rows
    """

    path: Path
    names: Sequence[str]
    num_rows: int
    key: np.ndarray
    timed: bool
    trimmed: bool = False
    out: dict[int, str] = field(default_factory=dict)
    excused: set[int] = field(default_factory=set)

    def pieces(self, columns: Sequence[str] | None = None, rows: int = tables.PIECE) -> Iterator[pa.Table]:
        """Some of its columns, at most `rows` rows at a time; one piece at least."""
        wanted = list(columns or self.names)
        there = [name for name in wanted if name in tables.names(self.path)]
        for piece in tables.pieces(self.path, there, rows):
            yield _plain(piece, wanted, LABELS if self.trimmed else ())

    def column(self, name: str) -> pa.ChunkedArray:
        """The whole of it."""
        return pa.chunked_array([chunk for piece in self.pieces([name]) for chunk in piece[name].chunks], _kind(name))

    def take(self, rows: np.ndarray, columns: Sequence[str] | None = None) -> pa.Table:
        """A few of its rows, in any order."""
        wanted, place = np.unique(rows, return_inverse=True)
        found, start = [], 0
        for piece in self.pieces(columns):
            low, high = np.searchsorted(wanted, [start, start + len(piece)])
            found.append(piece.take(pa.array(wanted[low:high] - start)))
            start += len(piece)
        return pa.concat_tables(found).take(pa.array(place))

    def left(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """As `pieces`, the rows that are not in quarantine."""
        stays, row = self._stays(), 0
        for piece in self.pieces(columns):
            yield piece.filter(pa.array(stays[row: row + len(piece)])) if self.out else piece
            row += len(piece)

    def select(self, columns: Sequence[str]) -> Rows:
        """With these columns alone."""
        return replace(self, names=tuple(columns))

    def to_batches(self, max_chunksize: int) -> Iterator[pa.RecordBatch]:
        for piece in self.pieces():
            yield from piece.to_batches(max_chunksize)

    def kept(self) -> np.ndarray:
        """int64, ascending: the rows that are not in quarantine."""
        return np.flatnonzero(self._stays())

    def _stays(self) -> np.ndarray:
        stays = np.ones(self.num_rows, dtype=bool)
        stays[list(self.out)] = False
        return stays

    def limited(self) -> dict[int, str]:
        """`out`, but for what is excused."""
        return {row: why for row, why in self.out.items() if row not in self.excused} if self.excused else self.out

    def keys_left(self) -> np.ndarray:
        """`key` of the rows that are not in quarantine."""
        return self.key[self._stays()] if self.out else self.key

    @property
    def clocked(self) -> bool:
        """Whether its times are on a clock that streams share."""
        return "clock" in self.names

    @property
    def unique(self) -> list[str]:
        """The columns that no two rows have in common."""
        further = [name for name in self.names if name in (CLOCK[:1] if self.trimmed else CLOCK)]
        return ["key", *(["start", "end"] if self.timed or self.clocked else []), *further]

    def per_key(self, keys: int, kept_only: bool = True) -> np.ndarray:
        """int64 [keys]: rows of each key."""
        key = self.keys_left() if kept_only else self.key
        return np.bincount(key[key >= 0], minlength=keys)


def load(raw: Path, streams: Collection[str]) -> tuple[Rows, dict[str, Rows], int]:
    """The labels, the streams' tables, with all the columns that they may have, and how many keys the labels have.

    Blank cells of labels are null, and names of splits are ours. Raises: UserError (a table is missing).
    """
    for name in ("labels", *streams):
        if not (raw / f"{name}.parquet").exists():
            raise UserError(f"{raw} has no {name}.parquet: " + ("run `dvc repro ingest`." if name == "labels" else (
                f"take {name} out of data.streams in params.yaml, or run `dvc repro ingest`.")))
    path = raw / "labels.parquet"
    numbers, timed = _numbers(path, LABELS, True)
    known = Known(numbers)
    there = tables.names(path)
    names = (*LABELS, *(name for name in ("weight", "time", "clock") if name in there))
    labels = Rows(path, names, len(numbers), known.codes(numbers), timed, True)
    found = {}
    for m in streams:
        own, timed = _numbers(raw / f"{m}.parquet", STREAM, False)
        same = len(own) == len(numbers) and bool((own == numbers).all())
        further = [name for name in CLOCK if name in tables.names(raw / f"{m}.parquet")]
        key = labels.key if same else known.codes(own)
        found[m] = Rows(raw / f"{m}.parquet", (*STREAM, *further), len(own), key, timed)
    return labels, found, len(known)


def _numbers(path: Path, names: Sequence[str], trimmed: bool) -> tuple[np.ndarray, bool]:
    """The number of each row's key (see `numbered`), and whether any row has a start or an end."""
    numbers, timed = [], False
    for piece in Rows(path, names, 0, np.zeros(0), False, trimmed).pieces(["key", "start", "end"]):
        numbers.append(numbered(piece["key"]))
        timed |= any(piece[name].null_count < len(piece) for name in ("start", "end"))
    return np.concatenate(numbers), timed


def stream_frames(rows: Rows, measures: Measures, labels: np.ndarray) -> Iterator[pd.DataFrame]:
    """For `expectations.stream_rules`, some rows at a time; labels: int64 [keys], label rows of each key."""
    start = 0
    for table in rows.pieces(["key", "value", "start", "end", *_further(rows)], JUDGED):
        here = slice(start, start + len(table))
        yield _stream_frame(table, np.arange(here.start, here.stop), rows.key[here],
                            {name: values[here] for name, values in measures.items()}, labels)
        start += len(table)


def stream_twins(rows: Rows, measures: Measures, labels: np.ndarray, column: str) -> pd.DataFrame:
    """The same of the rows whose `column` another row has as well; of one row, where there is none."""
    twins = _twins(rows, column)
    return _stream_frame(rows.take(twins), twins, rows.key[twins],
                         {name: values[twins] for name, values in measures.items()}, labels)


def _stream_frame(table: pa.Table, index: np.ndarray, key: np.ndarray, measures: Measures,
                  labels: np.ndarray) -> pd.DataFrame:
    shown = pc.utf8_slice_codeunits(table["value"], 0, 1)  # it only asks whether there is one
    error = pa.array(measures["error"], type=pa.string())
    further = [name for name in CLOCK if name in table.column_names]
    frame = pa.table([table["key"], shown, table["start"], table["end"], error, *(table[name] for name in further)],
                     names=["key", "value", "start", "end", "error", *further]).to_pandas()
    # One fault, one reason: a row without a key is not also said to lack a label.
    keyless = table["key"].is_null().to_numpy()
    return frame.assign(labels=np.where(keyless, 1, at(labels, key)),
                        **{name: values for name, values in measures.items() if name != "error"}).set_index(index)


@dataclass(frozen=True)
class LabelFrames:
    """For `expectations.label_rules`. given, present, until: by key;  unread: why the target of a row cannot be used.
    """

    labels: Rows
    given: np.ndarray
    present: np.ndarray
    until: np.ndarray
    unread: Mapping[int, str]

    @classmethod
    def of(cls, labels: Rows, streams: dict[str, Rows], measures: dict[str, Measures], keys: int,
           unread: Mapping[int, str]) -> LabelFrames:
        given, present, until = np.zeros(keys, dtype=np.int64), np.zeros(keys, dtype=np.int64), np.full(keys, np.nan)
        for m, rows in streams.items():
            given += rows.per_key(keys, kept_only=False)
            present += rows.per_key(keys)
            if "seconds" in measures[m] and not rows.clocked:  # without times: labels may say which part they mean
                whole = rows.kept()
                timed = np.concatenate([pc.or_(piece["start"].is_valid(), piece["end"].is_valid()).to_numpy()
                                        for piece in rows.pieces(["start", "end"])])
                whole = whole[(rows.key[whole] >= 0) & ~timed[whole]]
                np.fmax.at(until, rows.key[whole], measures[m]["seconds"][whole])
        present[given == 0] = 1  # again one reason is enough
        return cls(labels, given, present, until, unread)

    @property
    def more(self) -> list[str]:
        """Columns that not every data has."""
        return [*(["unread"] if self.unread else []), *(["weight"] if "weight" in self.labels.names else [])]

    def pieces(self) -> Iterator[pd.DataFrame]:
        start = 0
        for table in self.labels.pieces(rows=JUDGED):
            yield self._frame(table, np.arange(start, start + len(table)))
            start += len(table)

    def twins(self, column: str) -> pd.DataFrame:
        """The rows whose `column` another row has as well; one row, where there is none."""
        twins = _twins(self.labels, column)
        return self._frame(self.labels.take(twins), twins)

    def _frame(self, table: pa.Table, index: np.ndarray) -> pd.DataFrame:
        key = self.labels.key[index]
        frame = table.select(["sample", "key", "label", "split", "start", "end", *_further(self.labels)]).to_pandas()
        more: dict[str, Any] = {}
        if self.unread:
            more["unread"] = pa.array([self.unread.get(row) for row in index.tolist()], pa.string()).to_pandas()
        if "weight" in table.column_names:
            more |= {"weight": weights(table["weight"]),
                     "weight_given": pc.fill_null(table["weight"], "missing").to_pandas()}
        return frame.assign(given=at(self.given, key, 1), present=at(self.present, key, 1),
                            until=at(self.until, key, np.nan), **more).set_index(index)


def _further(rows: Rows) -> list[str]:
    return [name for name in CLOCK if name in rows.unique]


def _twins(rows: Rows, column: str) -> np.ndarray:
    """int64, ascending: rows whose `column` another row has as well; the first row, where there is none."""
    numbers = np.concatenate([numbered(piece[column]) for piece in rows.pieces([column])])
    found = np.flatnonzero(repeated(numbers))
    return found if len(found) else np.arange(min(1, rows.num_rows))


def first_rows(labels: Rows, keys: int) -> np.ndarray:
    """int64 [keys]: the first row of labels with each key."""
    first = np.zeros(keys, dtype=np.int64)
    known = np.flatnonzero(labels.key >= 0)[::-1]
    first[labels.key[known]] = known
    return first


def weights(cells: pa.ChunkedArray) -> np.ndarray:
    """float64 [N]: how much each row counts; NaN where that is no number of 0 or more."""
    numbers = pc.utf8_trim_whitespace(cells)
    numeric = pc.match_substring_regex(numbers, r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$")
    bare = pc.utf8_ltrim(pc.if_else(numeric, numbers, None), "+")
    found = np.asarray(pc.fill_null(bare.cast(pa.float64()), np.nan).to_numpy())
    return np.where(np.isfinite(found) & (found >= 0), found, np.nan)


def category_frame(task: Task, y: np.ndarray, has: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """For `expectations.class_rules`: targets y [N, *T] by category. has: bool [N] per stream."""
    import pandas as pd

    return pd.DataFrame({"label": list(task.categories), "rows": task.tally(y),
                         **{m: task.tally(y[there]) for m, there in has.items()}})


def at(values: np.ndarray, codes: np.ndarray, unknown: float = 0) -> np.ndarray:
    """values[codes], `unknown` where the code is negative."""
    return np.where(codes >= 0, values[codes], unknown) if len(values) else np.full(len(codes), unknown)


def _kind(name: str) -> pa.DataType:
    return pa.float64() if name in ("start", "end", "clock", "place") else pa.string()


def _plain(piece: pa.Table, names: Sequence[str], trimmed: Collection[str]) -> pa.Table:
    """With all of `names`, null where the table lacks them; blank cells of those that are `trimmed` are null, and names
    of splits are ours.
    """
    columns = {name: piece[name].cast(_kind(name)) if name in piece.column_names
               else pa.chunked_array([pa.nulls(len(piece), _kind(name))]) for name in names}
    for name in columns:
        if name in trimmed and columns[name].type == pa.string():
            text = pc.utf8_trim_whitespace(columns[name])
            columns[name] = pc.if_else(pc.equal(text, ""), None, text)
    if "split" in columns:
        split = pc.utf8_lower(columns["split"])
        for other, name in SPLIT_NAMES.items():
            split = pc.if_else(pc.equal(split, other), name, split)
        columns["split"] = split
    return pa.table(columns)
