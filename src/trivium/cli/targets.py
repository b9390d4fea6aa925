"""What is predicted: guessed from the cells of the label columns, shown, and asked about on a terminal."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium import tasks
from trivium.data.sources import question, rows
from trivium.data.sources.manifest import find
from trivium.settings.errors import UserError

Chosen = str | dict[str, Any]  # `task` of params.yaml

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
LIST = r"(?s)^\[.*\]$"
NUMBERS = r"^\[\s*-?[0-9]+\.[0-9]+(\s*,\s*-?[0-9.]+)*\s*\]$"
SIGNS = (";", "|", ",")  # between tags; the first is the usual one
FLAGS = ("0", "1", "true", "false", "yes", "no")
MOST = 0.8  # share of the cells that tell what a column holds; others may be mistakes
TAGGED = 0.2  # share of cells with several tags
LONG = 30  # signs of a tag; more is prose
FEW, SHARE = 20, 0.05  # different numbers that may be classes; more are a quantity, above this share of the rows
LOOK = 10_000  # different cells that are searched for tags


@dataclass(frozen=True)
class Guess:
    """task: for params.yaml;  seen: what is in the column, in words;  note: what else it could be."""

    task: Chosen
    seen: str
    note: str = ""
    labels: tuple[str, ...] = ()  # where they are few whole numbers, in their order


def label_columns(path: Path, names: Sequence[str], asked: Sequence[str],
                  configured: str | list[str] | None) -> list[str]:
    """The label columns that were asked for, or those of params.yaml where the table has them all; else none. Raises:
    UserError.
    """
    if asked:
        return list(dict.fromkeys(find(path, names, column, "--label") for column in asked))
    wanted = [configured] if isinstance(configured, str) else list(configured or ())
    found = [column for name in wanted if (column := rows.named(name, names, path))]
    return found if len(found) == len(wanted) else []


def guess(columns: Mapping[str, pa.ChunkedArray]) -> Guess:
    """columns: of strings, a list as a JSON array. Raises: UserError (several columns that are no target together)."""
    if len(columns) == 1:
        (name, column), = columns.items()
        values = pc.unique(column.drop_null())
        if len(values) < 2:
            what = f"one value, `{values[0]}`" if len(values) else "no value in any row"
            raise UserError(f"The label column `{name}` has {what}, so there is nothing to predict. Name another one: "
                            "`trivium use TABLE --label COLUMN`.")
        guessed = _one(column)
        if guessed.task == "classification":
            question.refuse(values.to_pylist(), name)
        return guessed
    found = {name: pc.unique(column.drop_null()) for name, column in columns.items()}
    if all(pc.all(pc.is_in(pc.utf8_lower(cells), pa.array(FLAGS))).as_py() for cells in found.values()):
        return Guess("multilabel", f"{len(columns)} columns of 0 and 1, each a tag")
    odd = [name for name, cells in found.items() if len(cells) and _numeric(cells).mean() < MOST]
    if odd:
        raise UserError(f"The label columns {', '.join(columns)} are no target together: `{odd[0]}` holds no numbers. "
                        "Several columns are several numbers, or one column of 0 and 1 for each tag.")
    return Guess("regression", f"{len(columns)} columns of numbers")


def settled(columns: Mapping[str, pa.ChunkedArray], configured: Chosen, keep: bool) -> Chosen:
    """The task for these label columns, said in a line, and asked about where somebody is there to answer.

    configured: what params.yaml says;  keep: it is meant for these columns. Raises: UserError.
    """
    target = f"target `{'`, `'.join(columns)}`"
    if keep:
        print(f"{target}: {name(configured)}, as `task` in params.yaml says")
        return configured
    found = guess(columns)
    task = found.task
    if isinstance(configured, Mapping) and name(configured) == name(task):  # settings of somebody's own stay
        task = dict(configured) | (task if isinstance(task, dict) else {})
    print(f"{target}: {found.seen}, so {name(task)}; the others are "
          f"{', '.join(other for other in tasks.names() if other != name(task))} (`task` in params.yaml)"
          + (f". {found.note}" if found.note else ""))
    return _asked(task, found) if _terminal() else task


def _terminal() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def name(task: Chosen) -> str:
    """Of the task, without its settings."""
    return task if isinstance(task, str) else str(task.get("name"))


def _asked(task: Chosen, found: Guess) -> Chosen:
    if input(f"Is {name(task)} right? [Y/n] ").strip().casefold() in ("", "y", "yes"):
        return task
    other = ""
    while other not in tasks.names():
        other = input(f"Which task? ({', '.join(tasks.names())}) ").strip().casefold()
    if other != "ordinal":
        return other
    given = ", ".join(found.labels)
    order = input(f"The labels from the lowest to the highest, with commas{f' [{given}]' if given else ''}: ") or given
    return {"name": other, "order": [label.strip() for label in order.split(",")]}


def _one(column: pa.ChunkedArray) -> Guess:
    cells, counts = pc.value_counts(pc.utf8_trim_whitespace(column).drop_null()).flatten()
    count, rows = counts.to_numpy(), len(column) - column.null_count

    def share(flags: np.ndarray) -> float:
        return float(count[flags].sum()) / max(rows, 1)

    if share(_like(cells, NUMBERS)) >= MOST:
        return Guess("regression", "lists of decimal numbers")
    if share(_like(cells, LIST)) >= MOST:
        return Guess("multilabel", "lists")
    if share(numeric := _numeric(cells)) >= MOST:
        return _of_numbers(cells.filter(pa.array(numeric)), rows, rows - int(count[numeric].sum()))
    note = ""
    for sign in SIGNS:
        several = np.asarray(pc.match_substring(cells, sign).to_numpy(zero_copy_only=False), bool)
        if share(several) < TAGGED or not (alike := question.tagged(cells.slice(0, LOOK).to_pylist(), sign)):
            continue
        task: Chosen = "multilabel" if sign == SIGNS[0] else {"name": "multilabel", "separator": sign}
        if _tags(cells, sign):
            return Guess(task, f"several tags with `{sign}` between them in {share(several):.0%} of the rows")
        set_by = task if isinstance(task, str) else f'{{name: multilabel, separator: "{sign}"}}'
        note = (f"A label such as `{alike[0]}` is one class here; if `{sign}` stands between several tags of a row, "
                f"set `task: {set_by}`")
    return Guess("classification", f"{len(cells):,} different labels", note)


def _of_numbers(cells: pa.Array, rows: int, others: int) -> Guess:
    """cells: the different ones that are numbers;  others: rows that hold something else."""
    values = np.unique(pc.utf8_ltrim(cells, "+").cast(pa.float64()).to_numpy())
    whole = values == np.floor(values)
    seen = (f"{len(values):,} different {'whole ' if whole.all() else ''}numbers from {values[0]:.6g} to "
            f"{values[-1]:.6g}")
    if others:
        seen += f" (and {others:,} of {rows:,} rows that hold no number)"
    if len(values) > FEW and (2 * (~whole).sum() >= len(values) or len(values) > SHARE * rows):
        return Guess("regression", seen)
    if len(values) < 3:
        return Guess("classification", seen)
    if not whole.all():
        return Guess("classification", seen, "If they are a quantity, set `task: regression`")
    labels = [f"{value:.0f}" for value in values]
    if len(values) > FEW:
        return Guess("classification", seen, "If they are a quantity, set `task: regression`")
    return Guess("classification", seen, "If they are steps of a scale, set `task: {name: ordinal, order: "
                 f"[{', '.join(labels)}]}}`, and if they are a quantity, `task: regression`", tuple(labels))


def _numeric(cells: pa.Array | pa.ChunkedArray) -> np.ndarray:
    return _like(cells, NUMBER)


def _like(cells: pa.Array | pa.ChunkedArray, pattern: str) -> np.ndarray:
    """bool: which cells match."""
    found = pc.match_substring_regex(pc.utf8_trim_whitespace(cells), pattern)
    return np.asarray(found.to_numpy() if isinstance(found, pa.ChunkedArray) else found.to_numpy(zero_copy_only=False),
                      bool)


def _tags(cells: pa.Array, sign: str) -> bool:
    """Whether cells, some of which look like it, hold short tags with `sign` between: not always in the same place, as
    in `Smith, John` and `Smith, Ann`; or, of a sign that no name has, each in several combinations.
    """
    found = [[part.strip() for part in cell.split(sign)] for cell in cells.slice(0, LOOK).to_pylist()]
    places = {(part, place) for cell in found for place, part in enumerate(cell)}
    count = Counter(part for cell in found for part in set(cell))
    return max(map(len, count)) <= LONG and (len(places) > len(count) or (sign != "," and min(count.values()) > 1))
