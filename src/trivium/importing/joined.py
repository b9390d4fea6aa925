"""Further tables, joined on a key: each row of the first one gets the cells of the row with its key."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from trivium.data.sources import rows as tables
from trivium.importing.asked import Asked, Cell, Row, Rows
from trivium.importing.written import plain
from trivium.settings.errors import UserError

Read = Callable[[Asked], Rows]
WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)\.0+")  # `1.0` is `1`, which some tool has written as a float


def join(rows: Rows, asked: Asked, others: Sequence[str], on: Sequence[str], read: Read) -> Rows:
    """on: `KEY`, or `HERE=THERE` where the columns have two names; one for all, or one for each table.

    Raises: UserError (no such column, a key that comes twice in a further table, a join that matches nothing).
    """
    if len(on) not in (1, len(others)):
        raise UserError(f"{len(others)} tables are joined on {len(on)} keys: give `--on KEY` once, or once for each "
                        "`--join`.")
    for k, other in enumerate(others):
        rows = _one(rows, asked, other, on[k if len(on) > 1 else 0], read)
    return rows


def _one(rows: Rows, asked: Asked, other: str, on: str, read: Read) -> Rows:
    here, mark, there = (part.strip() for part in on.partition("="))
    there = there if mark else here
    partners, clashing = _partners(read(asked.of(other)), other, there), Path(other).stem
    columns = list(dict.fromkeys(name for row in partners.values() for name in row))
    used, count, lonely = set[str](), 0, 0
    sample = ""
    for row in rows:
        count += 1
        key = _key(row.get(_name(here, list(row), asked.source) or ""))
        sample = sample or key
        partner = partners.get(key) if key else None
        if partner is None:
            lonely += 1
        else:
            used.add(key)
        for name in columns:
            row[name if name not in row else f"{name}_{clashing}"] = partner.get(name) if partner else None
        yield row
    if not used:
        first = next(iter(partners), "")
        raise UserError(f"No row of {asked.source} has a partner in {other}: `{here}` holds such as `{sample}`, and "
                        f"`{there}` there such as `{first}`. Name columns that hold the same: `--on HERE=THERE`. "
                        f"{other} has {', '.join([there, *columns])}.")
    said = [f"{lonely:,} of {count:,} rows of {asked.source} have no partner there, and lack its cells"] * (lonely > 0)
    said += [f"{len(partners) - len(used):,} of {len(partners):,} rows of {other} have none in {asked.source}, and are "
             "left out"] * (len(partners) > len(used))
    asked.note(f"{count - lonely:,} rows joined with {other}" + "".join(f"; {words}" for words in said) + ".")


def _partners(rows: Rows, other: str, column: str) -> dict[str, Row]:
    """Key -> the other cells of its row."""
    found: dict[str, Row] = {}
    for row in rows:
        name = _name(column, list(row), other)
        key = _key(row.pop(name, None)) if name else ""
        if key in found:
            raise UserError(f"`{key}` stands in `{column}` of {other} more than once, so a row would have several "
                            f"partners. Make {other} the source, and join the other table to it.")
        if key:
            found[key] = row
    return found


def _name(column: str, names: list[str], source: str) -> str:
    """The column of that name; "" of a row that lacks it."""
    found = tables.named(column, names, Path(source))
    if not found and len(names) > 0 and column not in names:
        raise UserError(f"{source} has no column `{column}`, which `--on` names. It has {', '.join(names)}.")
    return found or ""


def _key(cell: Cell) -> str:
    text = (cell if isinstance(cell, str) else plain(cell) or "" if cell is not None else "").strip()
    return text.partition(".")[0] if WHOLE.fullmatch(text) else text
