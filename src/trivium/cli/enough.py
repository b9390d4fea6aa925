"""What is to be said of a table's rows before anything runs: that they, or those of a class, are few, that some have no
label, and that ids come twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium import tasks
from trivium.data.sources import not_one, rows
from trivium.settings.errors import UserError

FEW = 100  # rows
SHOWN = 5  # classes


def notes(path: Path, column: str, timed: bool, limit: float) -> list[str]:
    """column: of the id;  timed: whether rows have a start or an end, so that an id may have several;  limit: the share
    of bad rows that stops a run.
    """
    count, ids = 0, pa.chunked_array([], pa.string())
    for piece in rows.pieces(path, [column]):
        count += len(piece)
        ids = pa.chunked_array([*ids.chunks, *piece[column].drop_null().chunks], pa.string())
    found = []
    if count < FEW:
        found.append(f"{path} has {count:,} rows. With fewer than {FEW}, intervals are wide, and hardly anything is "
                     "sure: add rows, if there are more.")
    each = pc.value_counts(ids)
    twice = each.filter(pc.greater(each.field("counts"), 1))
    if len(twice) and not timed:
        more = int(pc.sum(twice.field("counts")).as_py()) - len(twice)
        found.append(f"{more:,} of {count:,} rows have an id that came before, such as `{twice.field('values')[0]}`. "
                     "They will be in quarantine, so that no row lends its content to another's label"
                     f"{_stops(more, count, limit)}. Is `{column}` the right column (data.manifest.id)?")
    return found


def of_labels(columns: Mapping[str, pa.ChunkedArray], task: str | Mapping[str, Any], fewest: int, limit: float,
              ) -> list[str]:
    """columns: the label's, as strings;  task, fewest, limit: `task`, `validate.min_class_count` and
    `validate.max_bad_fraction` of params.yaml.
    """
    names, count = list(columns), len(next(iter(columns.values())))
    found = []
    bare = int(np.logical_and.reduce([cells.is_null().to_numpy() for cells in columns.values()]).sum())
    kind, own = tasks.chosen(task)
    if bare and kind.blank:
        found.append(f"{bare:,} of {count:,} rows have no `{'`, `'.join(names)}`: they are in no train, val or test "
                     "set, and serve recipes that need no labels.")
    if len(names) > 1:
        return found
    cells = columns[names[0]]
    if odd := not_one.why(cells):
        found.append(f"{len(odd):,} of {count:,} rows {'has' if len(odd) == 1 else 'have'} {odd[min(odd)]}, as "
                     f"the `{names[0]}`, first row {min(odd) + 1:,}. They will be in quarantine"
                     f"{_stops(len(odd), count, limit)}.")
        cells = cells.filter(pa.array(~np.isin(np.arange(count), list(odd))))
    values, _ = kind.read(cells, names, own)
    try:
        learnt, warnings = kind.over(values, names, own, fewest)
    except UserError as error:
        return [*found, f"{str(error).rstrip('.')}. As it is, the run will stop at `validate`."]
    found += [f"{words}." for words in warnings]
    if not (rare := learnt.rare(values, fewest)):
        return found
    counts = {one["values"]: one["counts"] for one in pc.value_counts(values.take(pa.array(sorted(rare)))).to_pylist()}
    few = [f"`{name}` ({rows})" for name, rows in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
    left = len(learnt.categories) - len(few)
    none = f", and the run will stop there, since {'one class is' if left else 'no class is'} left"
    stops = none if left < 2 else _stops(len(rare), count, limit)
    has, it, each = ("has", "it", "this class") if len(few) == 1 else ("have", "them", "each")
    return [*found, f"{len(few):,} of {len(learnt.categories):,} classes {has} fewer than {fewest} rows{_some(few)}. "
            f"These rows will be in quarantine{stops}. Add rows of {each}, give {it} the label of another class, or "
            "lower validate.min_class_count in params.yaml."]


def _some(few: Sequence[str]) -> str:
    return f": {', '.join(few[:SHOWN])}{f' and {len(few) - SHOWN:,} more' if len(few) > SHOWN else ''}"


def _stops(bad: int, count: int, limit: float) -> str:
    """What to say behind rows that go to quarantine, where they are too many."""
    if bad <= limit * count:
        return ""
    return f", and they are more than validate.max_bad_fraction allows ({limit:.0%}), so that the run will stop there"
