"""What each column of a table is taken for, with three of its values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trivium.data.sources import rows

LOOK = 20_000  # values of a column that three different ones are taken from
PATH = re.compile(r"\S*/\S*|.*/.*\.[A-Za-z0-9]{2,5}")  # whose end tells more than its head; no text is so
LONG = 300  # signs of a path
WIDTH = 36  # signs of a value that are shown


def roles(table: Path, changes: Mapping[str, Any], time: str) -> str:
    """A line for each column. changes: what `trivium use` writes of the table;  time: the column of a row's time."""
    names = rows.columns(table)
    found: dict[str, list[str]] = {}

    def add(column: str, role: str) -> None:
        if there := rows.named(column, names, table):
            found.setdefault(there, []).append(role)

    for key, value in changes.items():
        what = key.removeprefix("data.manifest.")
        if what not in (key, "path"):
            for column in value if isinstance(value, list) else [value]:
                add(column, f"label ({_task(changes)})" if what == "label" else what)
    for s, stream in changes["data.streams"].items():
        if stream["modality"] == "table":
            for column in stream["columns"]:
                add(column, f"table {s}")
        else:
            add(stream.get("column") or s, f"stream {s} ({stream['modality']})")
    if (when := rows.named(time, names, table)) not in found:
        add(when or "", "time")
    values = rows.look(table, LOOK)
    lines = [(name, ", ".join(found.get(name, ["not used"])),
              " | ".join(_short(one) for one in _spread(list(dict.fromkeys(values.get(name, [])))))) for name in names]
    wide = [max(len(line[part]) for line in (*lines, ("column", "role", ""))) for part in (0, 1)]
    return "\n".join(f"{name:{wide[0]}}  {role:{wide[1]}}  {shown}".rstrip()
                     for name, role, shown in [("column", "role", "examples"), *lines]) + "\n"


def _task(changes: Mapping[str, Any]) -> str:
    task = changes["task"]
    return str(task["name"] if isinstance(task, Mapping) else task)


def _short(value: str) -> str:
    one_line = " ".join(value.split())
    if len(one_line) <= WIDTH:
        return one_line
    path = len(one_line) <= LONG and PATH.fullmatch(one_line)
    return f"…{one_line[1 - WIDTH:]}" if path else f"{one_line[:WIDTH - 1]}…"


def _spread(values: Sequence[str]) -> Sequence[str]:
    """The first, the last and one between: tables are often sorted."""
    return values if len(values) <= 3 else (values[0], values[len(values) // 2], values[-1])
