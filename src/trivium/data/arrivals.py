"""Further rows of data that models were trained on: which side each is on, so that nothing that was tested on, or is
tested on now, is ever learned from.

Legend: `N` further rows, `S` seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data import splits, tables
from trivium.data.chronology import FREE
from trivium.data.duplicates import duplicate_groups
from trivium.data.linked_rows import components
from trivium.data.settings import Split
from trivium.data.splits import TEST, TRAIN, UNLABELLED, UNUSED, VAL
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


def place(root: Path, valid: Path, aligned: Path, streams: Mapping[str, str], settings: Split, seeds: int,
          task: Task) -> Places:
    """Draw sides for the rows in `aligned` (and `valid`, as the stages of these names leave them).

    A further row that is of a group with old ones, or shares content with one, is where these are, and unused where
    they are on several sides. The others are drawn as `split` does, in the shares of `settings`; where the rows name a
    split, that counts.

    root: the project that has the old rows.  task: with the classes of the further rows.
    Raises: UserError (no row is left for a side; a class has no training row).
    """
    samples = tables.read(aligned / "samples.parquet")
    before = tables.read(root / "data/aligned/samples.parquet")
    groups = _groups(root, valid, before, samples, streams, settings)
    old, new = groups[: len(before)], groups[len(before):]
    drawn = tables.read(root / "data/splits/splits.parquet")
    drawn = drawn.take(pc.index_in(before["sample"], drawn["sample"]))
    targets = task.numbers(samples["y"])
    strata, found = task.strata(targets), []
    for seed in range(seeds):
        there = pc.index_in(drawn[f"seed_{seed}"], pa.array(tables.SPLITS)).to_numpy()
        sides = linked(there, old, new)
        free = sides == FREE
        own = sides[free]
        splits.as_named(own, samples.filter(pa.array(free)), np.unique(new[free], return_inverse=True)[1])
        splits.draw(own, strata[free], new[free], settings, np.random.default_rng([seed, ARRIVED]))
        sides[free] = own
        _check(seed, sides, targets, task, task.tally(task.numbers(before["y"])[there == TRAIN]))
        found.append(sides)
    return Places(np.stack(found), old, new)


def _groups(root: Path, valid: Path, before: pa.Table, samples: pa.Table, streams: Mapping[str, str],
            settings: Split) -> np.ndarray:
    """The group of each old row, then of each further one. Their keys and names may be the same and mean others."""
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
    return components(len(both), splits.shared(both, settings, dict(streams)))


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
