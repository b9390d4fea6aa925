"""Your own data: a CSV, JSONL or Parquet file with one row per sample; params.yaml says which column is what.

Media stay where they are, relative to the file. Rows are not judged here: a missing label, a missing file and an id
that comes twice are kept as they are, and `validate` puts them in quarantine with a reason. The key of a row is its id,
or for an id that came before `<id> (row <n>)`, so that no row lends its content to another's label.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium import modalities
from trivium.data import tables
from trivium.data.cut import Cut
from trivium.data.linked_rows import numbered
from trivium.data.meta import Meta
from trivium.data.sources import clocked, dated, meant, question, rows
from trivium.data.sources.clocked import Clock
from trivium.data.sources.forgotten import Forgotten
from trivium.data.sources.kept import Kept
from trivium.data.sources.keys import Keys
from trivium.data.sources.places import home, moved, refuse_outs, refuse_outside
from trivium.data.streams import read_from, same_column
from trivium.modalities.anonymised import Anonymiser, Rules
from trivium.settings import told
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.data.settings import Manifest, Stream
    from trivium.tasks import Task

REQUIRED = ("id", "label")
ABOUT = ("group", "split", "language", "domain")  # optional, of the sample
TIMES = ("start", "end")  # optional, of the recording
FURTHER = ("weight", "time")  # columns that the tables have only where the manifest has them


def write(out: Path, settings: Manifest, seed: int, streams: Mapping[str, Stream], task: type[Task] | None,
          further: bool = False) -> None:
    """Tables in `out` of what the file at `settings.path` says, and of the rows of `settings.unlabelled`, which have no
    label. task: what is predicted, so what labels must be, None of rows without any;  further: whether the rows are
    more of data that is there, and so may all be of one class.

    Raises: UserError (no such file, unreadable, a column is missing, two streams on one, no rows, labels that are no
        classes where the task has these, a time that is not a number, an unknown split).
    """
    if not settings.path:
        raise UserError("params.yaml: data.manifest.path is empty. Name your CSV, JSONL or Parquet file there, or run "
                        "`make repro DATA=path/to/manifest.csv`.")
    path = Path(settings.path)
    apart = {s: stream for s, stream in streams.items() if stream.table}  # with tables of their own, on one clock
    streams = {s: stream for s, stream in streams.items() if not stream.table}
    files = [_choose(path, settings, streams, task, bool(apart))]
    if settings.unlabelled:
        files.append(_choose(Path(settings.unlabelled), settings, streams, None, bool(apart)))
    dates = any(modalities.has_times(stream.modality) for stream in streams.values())  # may stand for times
    media = [s for s, stream in streams.items() if not modalities.is_written(stream.modality)]
    classes = bool(task and task.categorical)
    ids, counts, labels = _look(files, media, classes, settings.outside, bool(apart), dates)
    target = files[0].target
    if classes:
        _check_classes(labels, path, target, 1 if further else 2)
    card = f"{counts[0]:,} rows of `{told.code(path.name)}`"
    if settings.unlabelled:
        card += f" and {counts[1]:,} of `{told.code(Path(settings.unlabelled).name)}`, which have no label"
    known = [name for name in (*REQUIRED, *ABOUT, *TIMES, *FURTHER, *(["key"] if apart else []), *streams)
             if any(name in one.made for one in files)]
    keys, kept = Keys(ids), Kept(path.parent, {
        s: Anonymiser(Rules.of(stream.anonymise, f"data.streams.{s}.anonymise"))
        for s, stream in (streams | apart).items() if stream.anonymise})
    clock = Clock()
    whens = [_when(one, clock) for one in files] if apart else []
    for s, stream in apart.items():
        tables.write(clocked.write(s, stream, settings, path.parent, kept, clock), out / f"{s}.parquet")
    clock.told()
    # Of a path in full, so that an experiment, which runs in another folder, makes the same bytes.
    root = str(path.parent) if path.is_absolute() else os.path.relpath(path.parent)
    with ExitStack() as stack:
        written = {name: stack.enter_context(tables.Writer(out / f"{name}.parquet")) for name in ("labels", *streams)}
        row = 0
        for k, one in enumerate(files):
            first = row
            for table in one.pieces():
                table = _whole(one, table, known, path.parent, media)
                key = keys.of(table["id"], row)
                when = {} if not apart else {
                    name: column.slice(row - first, len(table)) for name, column in whens[k].items()}
                empty = pa.nulls(len(table), pa.string())
                about = {name: table[name] if name in known else empty for name in ABOUT}
                about["split"] = meant.splits(about["split"], path, row)
                given = {name: table[name] for name in TIMES if name in known and not apart}
                times = {name: meant.seconds(column, path, name, row, dates) for name, column in given.items()}
                more = {name: table[name] for name in FURTHER if name in known} | when
                if apart:
                    times = {"sample": key}
                    key = table["key"].combine_chunks() if "key" in known else pa.repeat(clocked.ONE, len(table))
                written["labels"].add(pa.table({"sample": table["id"], "key": key, "label": table["label"], **about,
                                                **more}))
                for s, stream in streams.items():
                    own = times if apart or modalities.is_timed(stream.modality) else {}
                    made = kept.table(table[s], key, s, stream.modality, own)
                    if dates and own:
                        made = dated.filled(made, given, table[s], stream.modality, path.parent, one.path, row - first)
                    written[s].add(made)
                row += len(table)
    for words in kept.notes():
        print(f"note: {words}")
    Meta(source="manifest", root=root.replace(os.sep, "/"), title=path.name, card=f"{card}.",
         target=tuple(target), anonymised=kept.anonymised(),
         clock=clock.kind if apart else None, cut=Cut.beside(path)).write(out / "meta.json")


@dataclass(frozen=True)
class _File:
    """A file of rows. made: under the names of the settings, what each is made of, by its columns in the file;
    target: the columns of the label;  modality: of each stream;  forgotten: rows that are passed over.
    """

    path: Path
    made: Mapping[str, Mapping[str, str]]
    target: list[str]
    modality: Mapping[str, str]
    blank: bool
    forgotten: Forgotten

    def pieces(self, only: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Some rows at a time: the columns under the names of the settings, or those of `only`, and always the label.
        All are read either way, so that what cannot be read is found the first time.
        """
        wanted = {what: own for what, own in self.made.items() if only is None or what in only}
        gone = self.made["id"]["id"] if self.forgotten.ids else ""
        columns = sorted({*self.target, *(column for own in self.made.values() for column in own.values())})
        for table in rows.pieces(self.path, columns, self.target):
            if gone:
                table = table.filter(pa.array(~self.forgotten.within(meant.plain(table[gone]))))
                if not len(table):
                    continue
            made = {what: values(self.modality[what], {name: table[column] for name, column in own.items()})
                    if what in self.modality else meant.plain(table[own[what]]) for what, own in wanted.items()
                    if what != "label"}
            if "group" in made:
                made["group"] = meant.integers(made["group"])
            yield pa.table(made | {"label": self._labels(table)})

    def _labels(self, table: pa.Table) -> pa.ChunkedArray:
        own = {column: meant.integers(meant.plain(table[column])) for column in self.target}
        if not own:
            return pa.chunked_array([pa.nulls(len(table), pa.string())])
        if len(own) == 1:
            return own[self.target[0]]
        made = rows.objects(own)
        if not self.blank:
            return made
        nothing = pc.equal(pa.chunked_array([pc.coalesce(*(c.combine_chunks() for c in own.values()), "")]), "")
        return pc.if_else(nothing, None, made)


def _when(one: _File, clock: Clock) -> dict[str, pa.Array]:
    """Of each row of a file, see `clocked.on_clock`."""
    there = [what for what in ("time", *TIMES) if what in one.made]
    table = pa.concat_tables(one.pieces(["id", "key", *there]))
    key = table["key"] if "key" in one.made else pa.chunked_array([pa.repeat(clocked.ONE, len(table))])
    times = clock.read(one.path, {what: table[what] for what in there}, key)
    return clocked.on_clock(times)


def _look(files: Sequence[_File], media: Sequence[str], categorical: bool, allowed: Sequence[str], apart: bool,
          dates: bool) -> tuple[np.ndarray, list[int], pa.Array]:
    """Number of the id of each row (see `numbered`), rows of each file, and the different labels of classes.

    Raises: UserError (a file in a folder that stages empty, or not in those `allowed`; an unknown split; no time).
    """
    ids, counts, labels = [], [], pa.array([], pa.string())
    for one in files:
        count, folders = 0, dict[str, str]()
        for table in one.pieces(["id", "split", *TIMES, *media]):
            if "split" in table.column_names:
                meant.splits(table["split"], one.path, count)
            for name in (name for name in TIMES if name in table.column_names and not apart):
                meant.seconds(table[name], one.path, name, count, dates)
            count += len(table)
            ids.append(numbered(table["id"]))
            if categorical and one.target:
                labels = pc.unique(pa.chunked_array([labels, *table["label"].drop_null().chunks]))
            for s in (s for s in media if s in table.column_names):
                names = [name for name in table[s].unique().to_pylist() if name]
                refuse_outside(one.path, names, allowed)
                for name in names:
                    folders.setdefault(home(name), name)
        refuse_outs(one.path, folders.values())
        if not count:
            raise UserError(f"All rows of {one.path} are forgotten, so that nothing is left: bring others.")
        counts.append(count)
    return np.concatenate(ids), counts, labels


def _whole(one: _File, table: pa.Table, known: Sequence[str], first: Path, media: Sequence[str]) -> pa.Table:
    """A piece with all the columns that any file has; of a further file, files as seen from the folder `first`."""
    elsewhere = not one.target and one.path.parent.resolve() != first.resolve()
    for s in (s for s in media if elsewhere and s in table.column_names):
        seen = [value and moved(value, one.path.parent, first) for value in table[s].to_pylist()]
        table = table.set_column(table.column_names.index(s), s, pa.array(seen, pa.string()))
    for name in known:
        if name not in table.column_names:
            table = table.append_column(name, pa.repeat("1", len(table)) if name == "weight"
                                        else pa.nulls(len(table), pa.string()))
    return table


def _choose(path: Path, settings: Manifest, streams: Mapping[str, Stream], task: type[Task] | None,
            apart: bool) -> _File:
    """Which columns the settings name. task: None where there is no label: such a file needs no more than an id and a
    stream;  apart: whether other streams have tables of their own.
    """
    names = rows.columns(path)
    chosen: dict[str, str] = {}
    further = (*FURTHER, "key") if apart else FURTHER
    for what in ("id", *ABOUT, *TIMES, *(name for name in further if getattr(settings, name))):
        column = getattr(settings, what)
        needed = what in ("id", "key") or (bool(task) and what in (*REQUIRED, "weight"))
        # a usual name may be absent, one that somebody chose may not
        there = needed or (bool(task) and column != what)
        if found := find(path, names, column, f"data.manifest.{what}", needed, there):
            chosen[what] = found
    read = {s: {column: find(path, names, column, f"data.streams.{s}", there=bool(task))
                for column in read_from(s, stream)}
            for s, stream in streams.items()}  # stream -> name of a column -> that in the file
    read = {s: own for s, own in read.items() if all(own.values())}
    target = [find(path, names, column, "data.manifest.label") for column in settings.labels] if task else []
    if twice := next((column for column in target if target.count(column) > 1), None):
        raise UserError(f"params.yaml: data.manifest.label names the column `{twice}` twice.")
    for words in same_column({s: list(own.values()) for s, own in read.items()}, streams):
        raise UserError(f"params.yaml: {words}")
    if not read and not apart:
        raise UserError(f"{path} has no column of any stream ({', '.join(streams)}): its columns are "
                        f"{', '.join(names)}. Name its streams as those of data.manifest.path are.")
    used = {s: list(own.values()) for s, own in read.items()} | {"weight": [chosen.get("weight", "")]}
    if given := [(what, column) for what, own in used.items() for column in own if column in target]:
        raise UserError(f"params.yaml: the column `{given[0][1]}` of {path} is read as the label and as "
                        f"{given[0][0]}, so that models are told the answer. Name another column for one of them.")
    return _File(path, {what: {what: column} for what, column in chosen.items()} | {"label": {}} | read, target,
                 {s: stream.modality for s, stream in streams.items()}, bool(task and task.blank), Forgotten.at())


def find(path: Path, names: Sequence[str], column: str, key: str, needed: bool = True, there: bool = True) -> str:
    """The column of the file at `path`, whose columns are `names`, that `key` of params.yaml (or an option) calls
    `column`; "" where there is none. needed: `column` may not be empty;  there: such a column may not be absent

    Raises: UserError.
    """
    if not column and needed:
        raise UserError(f"params.yaml: {key} is empty, but it is needed. {path} has the columns {', '.join(names)}.")
    found = rows.named(column, names, path)
    if not found and column and there:
        near = difflib.get_close_matches(column, names, 1, 0.5)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        where = key if key.startswith("--") else f"{key} in params.yaml"
        raise UserError(f"{path} has no column `{column}`, which {where} names. {hint}"
                        f"The file has the columns {', '.join(names)}.")
    return found or ""


def values(modality: str, columns: Mapping[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    """Texts as they are, paths without white space around; the cells of a table packed into one; blank is null.

    columns: those of the stream, by the names that params.yaml gives them; one, if it is no table
    """
    if modality == "table":
        from trivium.modalities.columns import packed

        return packed.pack(columns)
    (column,) = columns.values()
    return meant.not_blank(column if modalities.is_written(modality) else pc.utf8_trim_whitespace(column))


def _check_classes(labels: pa.ChunkedArray, path: Path, target: Sequence[str], fewest: int) -> None:
    if len(target) > 1:
        raise UserError(f"params.yaml: data.manifest.label names {len(target)} columns ({', '.join(target)}), but one "
                        "class per row is to be predicted: name one column, or set `task: multilabel` (a column of 0 "
                        "and 1 for each tag) or `task: regression` (several numbers).")
    found, where = pc.unique(labels.drop_null()).to_pylist(), f"{path}: column `{target[0]}`"
    if len(found) < fewest:
        what = f"only the label {found[0]}" if found else "no label"
        raise UserError(f"{where} has {what}"
                        + ("; there must be at least two classes to tell apart." if fewest > 1 else "."))
    question.refuse(found, target[0], str(path))
    if words := question.note(found, where):
        print(f"note: {words}")


