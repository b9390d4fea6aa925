"""Your own data: a CSV, JSONL or Parquet file with one row per sample; params.yaml says which column is what.

Media stay where they are, relative to the file. Rows are not judged here: a missing label, a missing file and an id
that comes twice are kept as they are, and `validate` puts them in quarantine with a reason. The key of a row is its id,
or for an id that came before `<id> (row <n>)`, so that no row lends its content to another's label.
"""

from __future__ import annotations

import difflib
import os
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from trivium import modalities
from trivium.data import tables
from trivium.data.sources import question, raw, rows
from trivium.data.sources.places import hashed, located, refuse_outs
from trivium.data.streams import read_from, same_column
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.data.settings import Manifest, Stream
    from trivium.tasks import Task

REQUIRED = ("id", "label")
ABOUT = ("group", "split", "language", "domain")  # optional, of the sample
TIMES = ("start", "end")  # optional, of the recording
SPLITS = {"valid": "val", "validation": "val", "dev": "val", "training": "train", "testing": "test", "eval": "test"}
MOST_BYTES = 2**31 - 2**24  # of all values of a stream together: what an Arrow column of strings can hold


def write(out: Path, settings: Manifest, seed: int, streams: Mapping[str, Stream], task: type[Task],
          further: bool = False) -> None:
    """Tables in `out` of what the file at `settings.path` says, and of the rows of `settings.unlabelled`, which have no
    label. task: what is predicted, so what labels must be;  further: whether the rows are more of data that is there,
    and so may all be of one class.

    Raises: UserError (no such file, unreadable, a column is missing, two streams on one, no rows, labels that are no
        classes where the task has these, a time that is not a number, an unknown split, too much text).
    """
    if not settings.path:
        raise UserError("params.yaml: data.manifest.path is empty. Name your CSV, JSONL or Parquet file there, or run "
                        "`make repro DATA=path/to/manifest.csv`.")
    path = Path(settings.path)
    table, target = _choose(path, settings, streams, task)
    if task.categorical:
        _check_classes(table["label"], path, target, 1 if further else 2)
    card = f"{table.num_rows:,} rows of `{path.name}`"
    if settings.unlabelled:
        more = _more(Path(settings.unlabelled), settings, streams, path.parent)
        card += f" and {more.num_rows:,} of `{Path(settings.unlabelled).name}`, which have no label"
        table = pa.concat_tables([table, more], promote_options="default")
    refuse_outs(path, (name for s, stream in streams.items() if not modalities.is_written(stream.modality)
                       for name in table[s].unique().to_pylist() if name))
    empty = pa.nulls(table.num_rows, pa.string())
    about = {name: table[name] if name in table.column_names else empty for name in ABOUT}
    about["split"] = _splits(about["split"], path)
    times = {name: _seconds(table[name], path, name) for name in TIMES if name in table.column_names}
    for s, stream in streams.items():
        _check_size(table[s], path, stream.column or s)
    key = _keys(table["id"])
    made = {s: _stream(table[s], key, s, stream.modality, times if stream.modality == "audio" else {}, path.parent)
            for s, stream in streams.items()}
    # Of a path in full, so that an experiment, which runs in another folder, makes the same bytes.
    root = str(path.parent) if path.is_absolute() else os.path.relpath(path.parent)
    weight = {"weight": table["weight"]} if "weight" in table.column_names else {}
    raw.save(out, pa.table({"sample": table["id"], "key": key, "label": table["label"], **about, **weight}), made,
             source="manifest", root=root.replace(os.sep, "/"), title=path.name, card=f"{card}.", target=target)


def _more(path: Path, settings: Manifest, streams: Mapping[str, Stream], home: Path) -> pa.Table:
    """The rows of a file without labels, which may lack streams. home: the folder that their files are named from."""
    table, _ = _choose(path, settings, streams, None)
    media = [s for s in streams if s in table.column_names and not modalities.is_written(streams[s].modality)]
    refuse_outs(path, (name for s in media for name in table[s].unique().to_pylist() if name))
    for s in media if path.parent.resolve() != home.resolve() else ():
        seen = [value and os.path.relpath(path.parent / located(value, path.parent), home).replace(os.sep, "/")
                for value in table[s].to_pylist()]
        table = table.set_column(table.column_names.index(s), s, pa.array(seen, pa.string()))
    if settings.weight and "weight" not in table.column_names:
        table = table.append_column("weight", pa.repeat("1", table.num_rows))
    return table


def _choose(path: Path, settings: Manifest, streams: Mapping[str, Stream], task: type[Task] | None,
            ) -> tuple[pa.Table, list[str]]:
    """The columns that the settings name, under the names of the settings, and those of the target. task: None where
    there is no label: such a file needs no more than an id and a stream.
    """
    names = rows.columns(path)
    chosen: dict[str, str] = {}
    for what in ("id", *ABOUT, *TIMES, *(["weight"] if settings.weight else [])):
        column = getattr(settings, what)
        needed = what == "id" or (bool(task) and what in (*REQUIRED, "weight"))
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
    for words in same_column({s: list(own.values()) for s, own in read.items()}):
        raise UserError(f"params.yaml: {words}")
    if not read:
        raise UserError(f"{path} has no column of any stream ({', '.join(streams)}): its columns are "
                        f"{', '.join(names)}. Name its streams as those of data.manifest.path are.")
    used = {s: list(own.values()) for s, own in read.items()} | {"weight": [chosen.get("weight", "")]}
    if given := [(what, column) for what, own in used.items() for column in own if column in target]:
        raise UserError(f"params.yaml: the column `{given[0][1]}` of {path} is read as the label and as "
                        f"{given[0][0]}, so that models are told the answer. Name another column for one of them.")
    table = rows.read(path, sorted({*chosen.values(), *target, *(c for own in read.values() for c in own.values())}),
                      target)
    made = {what: _plain(table[column]) for what, column in chosen.items()}
    made |= {s: values(streams[s].modality, {name: table[column] for name, column in own.items()})
             for s, own in read.items()}
    labels = {column: _integers(_plain(table[column])) for column in target}
    made["label"] = rows.objects(labels) if len(target) > 1 else (
        labels[target[0]] if target else pa.chunked_array([pa.nulls(table.num_rows, pa.string())]))
    if len(target) > 1 and task and task.blank:
        nothing = pc.equal(pa.chunked_array([pc.coalesce(*(c.combine_chunks() for c in labels.values()), "")]), "")
        made["label"] = pc.if_else(nothing, None, made["label"])
    return pa.table(made | ({"group": _integers(made["group"])} if "group" in made else {})), target


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
    return _not_blank(column if modalities.is_written(modality) else pc.utf8_trim_whitespace(column))


def _not_blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), ""), None, column)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """What looks the same is the same: Unicode NFC, no white space around; blank is null."""
    # Not pc.utf8_normalize: its "NFC" decomposes (pyarrow 25).
    return pa.chunked_array([[unicodedata.normalize("NFC", value).strip() or None if value else None
                              for value in chunk.to_pylist()] for chunk in column.chunks], pa.string())


def _integers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """`1.0` is `1`: the same class or group, which some tool has written as a float. (`01`, `+1` and `1.5` stay.)"""
    return pc.replace_substring_regex(pc.replace_substring_regex(column, r"^(-?(?:0|[1-9][0-9]*))\.0+$", r"\1"),
                                      "^-0$", "0")


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
    question.refuse(found, where)
    if words := question.note(found, where):
        print(f"note: {words}")


def _check_size(values: pa.ChunkedArray, path: Path, column: str) -> None:
    if values.nbytes > MOST_BYTES:
        raise UserError(f"{path}: column `{column}` holds {values.nbytes / 2**30:.2f} GiB; more than "
                        f"{MOST_BYTES / 2**30:.2f} GiB cannot be read. Shorten long texts: models see only as many "
                        "tokens of each as `processor.length` of their encoder says (params.yaml).")


def _splits(column: pa.ChunkedArray | pa.Array, path: Path) -> pa.Array:
    """`column` with the usual other names of train, val and test replaced."""
    plain = [value and value.casefold() for value in column.to_pylist()]
    values = [value and SPLITS.get(value, value) for value in plain]
    for row, value in enumerate(values, 1):
        if value is not None and value not in tables.SPLITS[:3]:
            raise UserError(f"{path}: row {row} is in the split `{value}`; a split is train, val or test (or empty "
                            "everywhere: then splits are drawn). If the column means something else, set "
                            "data.manifest.split to \"\" in params.yaml.")
    return pa.array(values, pa.string())


def _seconds(column: pa.ChunkedArray, path: Path, name: str) -> pa.Array:
    """Null where it is empty or `nan`."""
    try:
        times = column.cast(pa.float64()).combine_chunks()
        return pc.if_else(pc.is_nan(times), None, times)
    except pa.ArrowInvalid:
        for row, value in enumerate(column.to_pylist(), 1):
            try:
                pa.scalar(value, pa.string()).cast(pa.float64())
            except pa.ArrowInvalid:
                raise UserError(f"{path}: row {row} has the {name} `{value}`, which is not a number of "
                                "seconds.") from None
        raise


def _keys(ids: pa.ChunkedArray) -> pa.Array:
    names = ids.to_pylist()
    every, seen, keys = set(names), set[str](), []
    for row, name in enumerate(names, 1):
        key = name
        while key in seen or (key != name and key in every):
            key = f"{key} (row {row})"
        keys.append(key)
        if key is not None:
            seen.add(key)
    return pa.array(keys, pa.string())


def _stream(column: pa.ChunkedArray, key: pa.Array, name: str, modality: str, times: dict[str, pa.Array],
            folder: Path) -> pa.Table:
    """Rows that have a value, with the digest of the text (cleaned, as models see it) or of the file (null where it
    cannot be read).
    """
    there = column.is_valid().combine_chunks()
    values = column.filter(there).combine_chunks()
    if modalities.is_prose(modality):
        clean = modalities.get(modality).clean
        digests = pa.array([tables.digest(clean(value).encode()) for value in values.to_pylist()], pa.string())
    elif modalities.is_written(modality):
        digests = pa.nulls(len(values), pa.string())  # equal cells are no sign that two rows are the same thing
    else:
        once = values.dictionary_encode()  # a long recording may serve many rows
        names = [located(value, folder) for value in once.dictionary.to_pylist()]
        values = pa.array(names, pa.string()).take(once.indices)
        digests = pa.array(hashed(names, folder, name), pa.string()).take(once.indices)
    return pa.table({"key": key.filter(there), "value": values, "digest": digests,
                     **{name: column.filter(there) for name, column in times.items()}})
