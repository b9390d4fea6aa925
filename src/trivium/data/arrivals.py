"""Further rows of data that models were trained on: which side each is on, so that nothing that was tested on, or is
tested on now, is ever learned from.

Legend: `N` further rows, `S` seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data import chronology, splits, tables, twins
from trivium.data.chronology import FREE
from trivium.data.duplicates import duplicate_groups
from trivium.data.linked_rows import components
from trivium.data.meta import Meta
from trivium.data.settings import Near, Split
from trivium.data.sources.places import moved
from trivium.data.splits import TEST, TRAIN, UNLABELLED, UNUSED, VAL
from trivium.modalities import is_prose
from trivium.settings.errors import UserError
from trivium.tasks import Task

ARRIVED = 3  # which random stream of a seed; `splits` has those before
SHARED = ("key", "value", "digest", "start", "end")


@dataclass(frozen=True)
class Places:
    """sides: int64 [S, N], of further rows.  old, new: which group each row is of, int64; one numbering for both."""

    sides: np.ndarray
    old: np.ndarray
    new: np.ndarray
    warnings: list[str] = field(default_factory=list)


def place(root: Path, valid: Path, aligned: Path, streams: Mapping[str, str], settings: Split, seeds: int,
          task: Task, share: float) -> Places:
    """Draw sides for the rows in `aligned` (and `valid`, as the stages of these names leave them).

    A further row that is of a group with old ones, or shares content with one (nearly, where `settings` say so), is
    where these are, and unused where they are on several sides. The others are drawn as `split` does, in the shares of
    `settings`: by their own times with the method `time`; otherwise, where the rows name a split, that counts.

    root: the project that has the old rows.  task: with the classes of the further rows.
    share: `validate.placeholder_share`
    Raises: UserError (no row is left for a side; a class has no training row; no times to split by).
    """
    samples = tables.read(aligned / "samples.parquet")
    before = tables.read(root / "data/aligned/samples.parquet")
    near = settings.near_duplicates
    tied = _alike(root, aligned, before, samples, streams, share, near) if near else []
    groups = _groups(root, valid, before, samples, streams, settings, tied)
    old, new = groups[: len(before)], groups[len(before):]
    drawn = tables.read(root / "data/splits/splits.parquet")
    drawn = drawn.take(pc.index_in(before["sample"], drawn["sample"]))
    targets = task.numbers(samples["y"])
    strata, found, warnings = task.strata(targets), [], dict[str, None]()
    for seed in range(seeds):
        there = pc.index_in(drawn[f"seed_{seed}"], pa.array(tables.SPLITS)).to_numpy()
        sides = linked(there, old, new)
        free = sides == FREE
        own, rows, of = sides[free], samples.filter(pa.array(free)), np.unique(new[free], return_inverse=True)[1]
        if settings.method == "time" and len(own):
            warnings |= dict.fromkeys(chronology.place(own, rows, of, settings)[0])
        else:
            splits.as_named(own, rows, of)
            splits.draw(own, strata[free], new[free], settings, np.random.default_rng([seed, ARRIVED]))
        sides[free] = own
        _check(seed, sides, targets, task, task.tally(task.numbers(before["y"])[there == TRAIN]))
        found.append(sides)
    return Places(np.stack(found), old, new, list(warnings))


def _alike(root: Path, aligned: Path, before: pa.Table, samples: pa.Table, streams: Mapping[str, str], share: float,
           near: Near) -> list[np.ndarray]:
    """Of each old row, then of each further one: the same code for what is nearly the same, see `Twins.by_row`."""
    meta, home = Meta.read(aligned / "meta.json"), Meta.read(root / "data/aligned/meta.json").root
    for s in [s for s, modality in streams.items() if not is_prose(modality) and s in samples.column_names]:
        seen = [value and moved(value, root / meta.root, root / home) for value in samples[s].to_pylist()]
        samples = samples.set_column(samples.schema.get_field_index(s), s, pa.array(seen, pa.string()))
    names = ["label", *(s + end for s in streams for end in ("", "_digest", "_start", "_end"))]
    there = [name for name in names if name in before.column_names and name in samples.column_names]
    both = aligned.parent / "both"
    tables.write(pa.concat_tables([before.select(there), samples.select(there)], promote_options="default"),
                 both / "samples.parquet")
    meta.model_copy(update={"root": home}).write(both / "meta.json")
    return [one.by_row() for one in twins.find(both, share, near)]


def _groups(root: Path, valid: Path, before: pa.Table, samples: pa.Table, streams: Mapping[str, str],
            settings: Split, tied: list[np.ndarray]) -> np.ndarray:
    """The group of each old row, then of each further one. Their keys and names may be the same and mean others.
    tied: see `_alike`
    """
    labels, rows = [], dict[str, list[pa.Table]]()
    for mark, folder in (("old", root / "data/valid"), ("new", valid)):
        if not (folder / "labels.parquet").exists():
            raise UserError(f"{folder} is not there, and without it nobody knows which of the new rows the model has "
                            "seen: run `dvc checkout`, or `dvc repro validate`, first.")
        labels.append(_marked(tables.read(folder / "labels.parquet").select(["sample", "key"]), mark))
        for s in streams:
            table = tables.read(folder / f"{s}.parquet")
            rows.setdefault(s, []).append(_marked(table.select([c for c in SHARED if c in table.column_names]), mark))
    every = pa.concat_tables(labels)
    linked = duplicate_groups(every, {s: pa.concat_tables(both, promote_options="default") for s, both in rows.items()},
                              streams)
    shown = ["sample", "group", *(s for s in streams)]
    both = pa.concat_tables([_marked(before.select(shown), "old"), _marked(samples.select(shown), "new")])
    both = both.append_column("duplicate_group", linked.take(pc.index_in(both["sample"], every["sample"])))
    return components(len(both), [*splits.shared(both, settings, dict(streams)), *tied])


def _marked(table: pa.Table, mark: str) -> pa.Table:
    """With keys and names of samples that say which rows they are of."""
    for column in {"sample", "key"} & set(table.column_names):
        there = pc.binary_join_element_wise(mark, table[column], "/")
        table = table.set_column(table.schema.get_field_index(column), column, there)
    return table


def linked(sides: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The side of each further row that hangs together with old ones, FREE for the others. sides: of old rows."""
    sides = np.where(sides == UNLABELLED, TRAIN, sides)
    count = int(max(old.max(initial=-1), new.max(initial=-1))) + 1
    low, high = np.full(count, len(tables.SPLITS)), np.full(count, FREE)
    np.minimum.at(low, old, sides)
    np.maximum.at(high, old, sides)
    found = np.where(low == high, high, UNUSED)
    return np.where(high == FREE, FREE, np.where(np.isin(found, (TRAIN, VAL, TEST)), found, UNUSED))[new]


def _check(seed: int, sides: np.ndarray, y: np.ndarray, task: Task, known: np.ndarray) -> None:
    """Raises: UserError (see `place`). known: old train rows by category."""
    for side in (TRAIN, VAL, TEST):
        if not (sides == side).any():
            raise UserError(f"None of the {len(sides):,} new rows is left for {tables.SPLITS[side]} with seed {seed}: "
                            "they are too few, in too few groups, or all hang together with rows that the model has "
                            "seen. Bring more rows.")
    untrained = np.flatnonzero((task.tally(y[sides == TRAIN]) + known == 0) & (task.tally(y) > 0))
    if task.needs_every_category and len(untrained):
        raise UserError(f"The new class `{task.categories[untrained[0]]}` has no training row with seed {seed}: its "
                        "rows are of too few groups. Bring more of them, or leave them out.")
