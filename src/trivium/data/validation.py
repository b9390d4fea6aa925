"""Raw tables in, usable tables out: every row is measured, judged, and kept or put in quarantine with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium import tasks
from trivium.data import expectations, quarantine, tables
from trivium.data.duplicates import duplicate_groups, placeholders
from trivium.data.frames import VALUE_SHOWN, Rows, at, category_frame, label_frame, load, stream_frame, weights
from trivium.data.meta import Meta
from trivium.data.probe import Measures, probe
from trivium.data.settings import Validate
from trivium.data.sources import question
from trivium.modalities import is_written
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
    labels, rows, keys = load(Path(raw), streams)
    meta = Meta.read(Path(raw) / "meta.json")
    kind, own = tasks.chosen(task)
    target = meta.target
    if kind.categorical:  # `task` may have been another when these rows came in
        found_labels = pc.unique(labels.table["label"].drop_null()).to_pylist()
        question.refuse(found_labels, f"{meta.title}: column `{target[0]}`")
    values, unread = kind.read(labels.table["label"], target, own)
    empty = labels.table["label"].is_null().to_numpy()
    unread = {row: reason for row, reason in unread.items() if not empty[row]}
    measures = probe({m: r.table for m, r in rows.items()}, streams, meta.root, meanwhile=expectations.load)

    suites: list[dict[str, Any]] = []
    for m, r in rows.items():
        names = [name for name in measures[m] if name != "error"]
        frame = stream_frame(r, measures[m], labels.per_key(keys))
        r.out = _judge(m, frame, expectations.stream_rules(m, names, r.timed, settings), suites)
    frame = label_frame(labels, rows, measures, keys, unread)
    labels.out = _judge("labels", frame, expectations.label_rules(labels.timed, list(frame)), suites)
    has = {m: at(r.per_key(keys), labels.key) > 0 for m, r in rows.items()}

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
    coverage = _coverage(found, labels, told(), has)
    if coverage is not None:
        _judge("classes", coverage, expectations.class_rules(streams, settings, found.category[0]), suites)
    here = told()
    if known is None and (rare := found.rare(values.take(pa.array(here)), settings.min_class_count)):
        labels.out |= {int(here[place]): reason for place, reason in rare.items()}
        found, warnings = learnt()
        coverage = _coverage(found, labels, told(), has)
    _check(labels, rows, streams, meta.root, settings)
    without = len(labels.kept()) - len(told())
    warnings += _without(without, len(labels.table), kind) + _unread(unread, len(labels.table), target)

    bad = {name: len(r.out) for name, r in [("labels", labels), *rows.items()]}
    first = _first_samples(labels, keys)
    for r in rows.values():
        r.out |= _followers(r, labels, first)
    kept_rows = {m: r.table.take(r.kept()) if r.out else r.table for m, r in rows.items()}  # a copy only if need be
    kept = labels.table.take(labels.kept())
    kept = kept.append_column("duplicate_group", duplicate_groups(kept, kept_rows, streams))
    if "weight" in kept.column_names:
        kept = _weighed(kept)
    frame = kept.filter(kept["label"].is_valid()).select(["label", "duplicate_group"]).to_pandas().assign(
        **{m: has[m][told()].astype(np.int64) for m in rows})
    _judge("samples", frame, expectations.kept_rules(streams, kind.categorical and known is None), suites)

    tables.write(kept, Path(out) / "labels.parquet")
    for m, table in kept_rows.items():
        tables.write(table, Path(out) / f"{m}.parquet")
    parts = [quarantine.table("labels", labels.table["key"], labels.table["sample"].combine_chunks(),
                              labels.table["label"], labels.out)]
    parts += [quarantine.table(m, r.table["key"], first.take(pa.array(r.key, mask=r.key < 0)), r.table["value"], r.out)
              for m, r in rows.items()]
    tables.write(pa.concat_tables(parts), Path(out) / "quarantine.parquet")
    meta.model_copy(update={"task": found.plain(), "streams": dict(streams)}).write(Path(out) / "meta.json")
    sizes = pc.value_counts(kept["duplicate_group"].drop_null()).field("counts").to_numpy()
    return {
        "suites": suites,
        "tables": {name: {"rows": len(r.table), "quarantined": bad[name], "followed": len(r.out) - bad[name]}
                   for name, r in [("labels", labels), *rows.items()]},
        "unlabelled": without,
        "warnings": warnings,
        "coverage": {} if coverage is None else {name: {column: int(n) for column, n in row.items()}
                                                 for name, row in coverage.set_index("label").iterrows()},
        "duplicates": {"groups": len(sizes), "samples": int(sizes.sum()), "largest": int(sizes.max(initial=0))},
        "placeholders": [found for m, table in kept_rows.items() if not is_written(streams[m])
                         for found in _placeholders(m, table)],
        "measures": {m: _quantiles(measures[m], r.kept()) for m, r in rows.items()},
    }


def _coverage(task: Task, labels: Rows, here: np.ndarray, has: Mapping[str, np.ndarray]) -> pd.DataFrame | None:
    """The rows `here` by category, None where the task has none."""
    if not task.categories:
        return None
    y = task.encode(labels.table["label"].take(pa.array(here)))
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


def _weighed(kept: pa.Table) -> pa.Table:
    """With weights as numbers. Raises: UserError (nothing weighs anything)."""
    found = weights(kept["weight"])
    if not found.any():
        raise UserError("Every row has the weight 0, so that none counts: name another column as data.manifest.weight "
                        "in params.yaml, or none (\"\").")
    return kept.set_column(kept.schema.get_field_index("weight"), "weight", pa.array(found))


def _judge(name: str, frame: pd.DataFrame, rules: list[expectations.Rule], suites: list[dict]) -> quarantine.Reasons:
    """Which rows of `frame` are out, and why; what was found is added to `suites`. Raises: UserError (level `stop`)."""
    outcomes = expectations.judge(name, frame, rules)
    suites.append({"name": name, "rows": len(frame),
                   "expectations": [outcome.describe(len(frame)) for outcome in outcomes]})
    stops = [outcome.rule.reason for outcome in outcomes if outcome.rule.level == "stop" and not outcome.success]
    if stops:
        raise UserError(f"This data cannot be learned from: {'; '.join(stops)}.")
    return quarantine.reasons(outcomes, frame)


def _check(labels: Rows, rows: dict[str, Rows], streams: Mapping[str, str], root: str, settings: Validate) -> None:
    """Raises: UserError if too many rows of a table are bad."""
    every = rows | {"labels": labels}

    def where(name: str, row: int) -> str:
        """Its key, and its sample, its file or the beginning of its text."""
        cells = {column: value or "(none)" for column, value in every[name].table.slice(row, 1).to_pylist()[0].items()}
        if name == "labels":
            return f"key {cells['key']}, sample {cells['sample']}"
        return f"key {cells['key']}, {'' if is_written(streams[name]) else f'{root}/'}{cells['value'][:VALUE_SHOWN]}"

    quarantine.check({name: len(r.table) for name, r in every.items()}, {name: r.out for name, r in every.items()},
                     where, settings.max_bad_fraction)


def _placeholders(stream: str, table: pa.Table) -> list[dict[str, Any]]:
    """Files that stand in for missing ones: stream, file (the first of this content), rows."""
    found = []
    for digest in placeholders(table).to_pylist():
        values = table["value"].filter(pc.equal(table["digest"], digest))
        found.append({"stream": stream, "file": values[0].as_py(), "rows": len(values)})
    return found


def _first_samples(labels: Rows, keys: int) -> pa.Array:
    """Per key, the first sample that it belongs to."""
    first = np.zeros(keys, dtype=np.int64)
    known = np.flatnonzero(labels.key >= 0)[::-1]
    first[labels.key[known]] = known
    return labels.table["sample"].combine_chunks().take(pa.array(first))


def _followers(rows: Rows, labels: Rows, first: pa.Array) -> quarantine.Reasons:
    """Kept rows that no label is left for."""
    alive = np.zeros(len(first), dtype=bool)
    alive[labels.key[labels.kept()]] = True
    kept = rows.kept()
    orphans = kept[~at(alive, rows.key[kept]).astype(bool)]
    names = first.take(pa.array(rows.key[orphans])).to_pylist()
    return {row: f"its sample `{name}` is in quarantine" for row, name in zip(orphans.tolist(), names, strict=True)}


def _quantiles(measures: Measures, rows: np.ndarray) -> dict[str, dict[str, float]]:
    """Least, median and largest of every measurement of `rows`."""
    found = {}
    for name, values in measures.items():
        if name != "error" and len(rows):
            low, middle, high = np.quantile(values[rows], [0, 0.5, 1])
            found[name] = {"min": round(float(low), 4), "median": round(float(middle), 4), "max": round(float(high), 4)}
    return found
