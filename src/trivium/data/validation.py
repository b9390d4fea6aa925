"""Raw tables in, usable tables out: every row is measured, judged, and kept or put in quarantine with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium import tasks
from trivium.data import expectations, judged, placeholders, quarantine, set_aside, tables
from trivium.data.duplicates import Content, grouped, named
from trivium.data.frames import (
    VALUE_SHOWN,
    LabelFrames,
    Rows,
    at,
    category_frame,
    first_rows,
    load,
    weights,
)
from trivium.data.judged import judge
from trivium.data.linked_rows import codes
from trivium.data.meta import Meta
from trivium.data.probe import Measures
from trivium.data.settings import Validate
from trivium.data.sources import not_one, question
from trivium.modalities import is_written, media
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from trivium.tasks import Task



def validate(raw: str | Path, out: str | Path, streams: Mapping[str, str], settings: Validate,
             task: str | Mapping[str, Any] = "classification", known: Task | None = None) -> dict[str, Any]:
    """Write the usable rows of `raw` and `quarantine.parquet` to `out`; returns the report (`validation.json`).

    streams: name -> modality;  task: as params.yaml names it;  known: what a trained model predicts, where these rows
    are more of its data: the task is then this one, with what is new (see `Task.grown`). A row that cannot be used
    takes along only what hangs on it: an unreadable image its own row, a bad label its sample's rows. A sample stays as
    long as it has one stream; one without a label stays for recipes that need none.

    Raises:
        UserError: a table is missing, more than `max_bad_fraction` of a table's rows are bad, no row of a stream is
            left, or no targets that the task can learn (fewer than two classes, a number that never changes).
    """
    seen = judged.Streams(*load(Path(raw), streams))
    labels, rows, keys, suites = seen.labels, seen.rows, seen.keys, seen.suites
    meta = Meta.read(Path(raw) / "meta.json")
    kind, own = tasks.chosen(task)
    target = meta.target
    cells = labels.column("label")
    if kind.categorical:  # `task` may have been another when these rows came in
        question.refuse(pc.unique(cells.drop_null()).to_pylist(), target[0], meta.title)
    values, unread = kind.read(cells, target, own)
    unread |= {row: f"its label is {what}" for row, what in not_one.why(cells).items()}
    empty = cells.is_null().to_numpy()
    unread = {row: reason for row, reason in unread.items() if not empty[row]}
    measures = seen.judge(streams, meta, settings)
    first = first_rows(labels, keys)
    common = placeholders.Common(settings.placeholder_share, codes(cells)[first])
    stand_ins = placeholders.find(rows, streams, common)
    told_of = placeholders.told(stand_ins, rows, cells.take(pa.array(first)))
    gone = dict[str, tuple[str, ...]]()
    if settings.placeholders == "missing":
        gone = placeholders.digests(stand_ins, rows)
        placeholders.take_away(stand_ins, rows)
    frames = LabelFrames.of(labels, rows, measures, keys, unread)
    labels.out = judge("labels", labels.num_rows, frames.pieces(),
                       expectations.label_rules(labels.timed, frames.more, labels.unique), suites, frames.twins)
    has = {m: at(r.per_key(keys), labels.key) > 0 for m, r in rows.items()}
    placeholders.excuse(labels, rows, keys)
    del frames, stand_ins  # of every row, it holds as much as all that is still needed
    for each in measures.values():
        del each["error"]
    pa.default_memory_pool().release_unused()

    def told() -> np.ndarray:
        """The rows that are left and have a label."""
        here = labels.kept()
        return here[~empty[here]]

    def learnt() -> tuple[Task, list[str]]:
        """The task of these, and warnings."""
        if known is not None:
            return known.grown(values.take(pa.array(told())), settings.min_class_count)[0], []
        try:
            return kind.over(values.take(pa.array(told())), target, own, settings.min_class_count)
        except UserError as error:
            _check(labels, rows, streams, meta.root, settings)  # too many bad rows may be why
            if str(error).startswith("params.yaml"):
                raise
            raise UserError(f"This data cannot be learned from: {str(error).rstrip('.')}.") from None

    if known is not None:
        here = told()
        _, lonely = known.grown(values.take(pa.array(here)), settings.min_class_count)
        labels.out |= {int(here[place]): reason for place, reason in lonely.items()}
    found, warnings = learnt()
    coverage = _coverage(found, cells, told(), has)
    if coverage is not None:
        judge("classes", len(coverage), [coverage], expectations.class_rules(streams, settings, found.category[0]),
              suites)
    here = told()
    if known is None and (rare := found.rare(values.take(pa.array(here)), settings.min_class_count)):
        labels.out |= {int(here[place]): reason for place, reason in rare.items()}
        found, warnings = learnt()
        coverage = _coverage(found, cells, told(), has)
    _check(labels, rows, streams, meta.root, settings)
    without = len(labels.kept()) - len(told())
    warnings += _without(without, labels.num_rows, kind) + _unread(unread, labels.num_rows, target)

    bad = {name: len(r.out) for name, r in [("labels", labels), *rows.items()]}
    for r in rows.values():
        r.out |= set_aside.followers(r, labels, first)
    kept = labels.kept()
    weight = _weights(labels)
    members, leads = grouped(labels.keys_left(), keys, {m: Content(r.keys_left(), r.left) for m, r in rows.items()},
                             streams, common)
    leading = labels.take(kept[leads], ["sample"])["sample"].combine_chunks()
    judge("samples", len(told()), _samples(cells, told(), np.isin(told(), kept[members], assume_unique=True), has),
          expectations.kept_rules(streams, kind.categorical and known is None), suites)
    del cells  # of every row
    pa.default_memory_pool().release_unused()

    out, start = Path(out), 0
    shares = named(len(kept), members, leading)
    with tables.Writer(out / "labels.parquet") as file:
        for piece in labels.left():
            end = start + len(piece)
            piece = piece.append_column("duplicate_group", shares[start:end])
            if weight is not None:
                piece = piece.set_column(piece.schema.get_field_index("weight"), "weight", pa.array(weight[start:end]))
            file.add(piece)
            start = end
    seen.write(out)
    parts = [set_aside.rows_of("labels", labels, "label", labels, first)]
    parts += [set_aside.rows_of(m, r, "value", labels, first) for m, r in rows.items()]
    tables.write(pa.concat_tables(parts), out / "quarantine.parquet")
    meta.model_copy(update={"task": found.plain(), "streams": dict(streams), "placeholders": gone or None},
                    ).write(out / "meta.json")
    sizes = np.unique(leads, return_counts=True)[1]
    return {
        "suites": suites,
        "tables": {name: {"rows": r.num_rows, "quarantined": bad[name], "followed": len(r.out) - bad[name]}
                   for name, r in [("labels", labels), *rows.items()]},
        "unlabelled": without,
        "warnings": warnings,
        "coverage": {} if coverage is None else {name: {column: int(n) for column, n in row.items()}
                                                 for name, row in coverage.set_index("label").iterrows()},
        "duplicates": {"groups": len(sizes), "samples": int(sizes.sum()), "largest": int(sizes.max(initial=0))},
        "placeholders": told_of,
        "measures": {m: _quantiles(measures[m], r.kept()) for m, r in rows.items()},
    } | ({"anonymised": {s: {"rows": one.rows, "texts": one.texts, "found": one.found}
                         for s, one in meta.anonymised.items()}} if meta.anonymised else {})


def _coverage(task: Task, cells: pa.ChunkedArray, here: np.ndarray, has: Mapping[str, np.ndarray],
              ) -> pd.DataFrame | None:
    """The rows `here` of labels, whose `cells` are targets, by category, None where the task has none."""
    if not task.categories:
        return None
    y = task.encode(cells.take(pa.array(here)))
    return category_frame(task, y, {m: there[here] for m, there in has.items()})


def _without(count: int, rows: int, kind: type[Task]) -> list[str]:
    """What becomes of the rows without a label, in words."""
    if not count:
        return []
    return [f"{count:,} of {rows:,} rows have no label{kind.empty}: they are in no train, val or test set, and serve "
            "recipes that need none."]


def _unread(unread: Mapping[int, str], rows: int, target: Sequence[str]) -> list[str]:
    """What share of the targets cannot be used, in words."""
    if not unread:
        return []
    first = min(unread)
    return [f"{len(unread):,} of {rows:,} rows ({len(unread) / rows:.1%}) are in quarantine for their "
            f"`{'`, `'.join(target)}`; the first, row {first + 1}: {unread[first]}."]


def _weights(labels: Rows) -> np.ndarray | None:
    """Of the rows that are left, as numbers; None where the data has none. Raises: UserError (nothing weighs anything).
    """
    if "weight" not in labels.names:
        return None
    found = np.concatenate([weights(piece["weight"]) for piece in labels.left(["weight"])])
    if not found.any():
        raise UserError("Every row has the weight 0, so that none counts: name another column as data.manifest.weight "
                        "in params.yaml, or none (\"\").")
    return found


def _samples(cells: pa.ChunkedArray, here: np.ndarray, shared: np.ndarray, has: Mapping[str, np.ndarray],
             ) -> list[pd.DataFrame]:
    """For `expectations.kept_rules`: the rows `here` of labels, whose `cells` are targets. shared: of these, bool."""
    import pandas as pd

    return [pd.DataFrame({"label": codes(cells)[here].astype(np.int32),
                          "duplicate_group": np.where(shared, np.float32(1), np.float32(np.nan)),
                          **{m: there[here].astype(np.int8) for m, there in has.items()}})]


def _check(labels: Rows, rows: dict[str, Rows], streams: Mapping[str, str], root: str, settings: Validate) -> None:
    """Raises: UserError if too many rows of a table are bad."""
    every = rows | {"labels": labels}

    def where(name: str, row: int) -> str:
        """Its key, and its sample, its file or the beginning of its text."""
        (found,) = every[name].take(np.array([row])).to_pylist()
        cells = {column: value or "(none)" for column, value in found.items()}
        if name == "labels":
            return f"key {cells['key']}, sample {cells['sample']}"
        plain = not is_written(streams[name]) and media.is_path(not_one.plain(cells["value"]))
        return f"key {cells['key']}, {f'{root}/' if plain else ''}{not_one.plain(cells['value'])[:VALUE_SHOWN]}"

    quarantine.check({name: r.num_rows for name, r in every.items()}, {name: r.limited() for name, r in every.items()},
                     where, settings.max_bad_fraction)


def _quantiles(measures: Measures, rows: np.ndarray) -> dict[str, dict[str, float]]:
    """Least, median and largest of every measurement of `rows`."""
    found = {}
    for name, values in measures.items():
        if name != "error" and len(rows):
            low, middle, high = np.quantile(values[rows], [0, 0.5, 1])
            found[name] = {"min": round(float(low), 4), "median": round(float(middle), 4), "max": round(float(high), 4)}
    return found
