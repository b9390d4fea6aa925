"""A table: CSV, TSV, JSONL, a list of objects in JSON, or Parquet; a folder of Parquet files; and a folder of files
that `metadata.csv` (or .jsonl, .parquet) in it, or in `train` and `test` in it, lists under `file_name`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from trivium.data.sources import rows as read
from trivium.data.sources.encoded import utf8
from trivium.importing import cells, features, shards, splits
from trivium.importing.asked import Asked, Inline, Rows
from trivium.importing.folders import modality
from trivium.importing.trees import names
from trivium.settings.errors import UserError

WORDS = "a table (CSV, TSV, JSONL, JSON or Parquet)"
FEW = 1000  # rows of JSON that tell which columns hold objects


def knows(asked: Asked) -> bool:
    if asked.path.is_dir():
        return bool(_shards(asked.path) or _tables(asked.path) or _metadata(asked.path))
    return asked.path.is_file() and asked.path.suffix.lower() in (*read.KINDS, ".json")


def within(asked: Asked) -> Asked:
    """The one table of a folder, in place of the folder. Raises: UserError (it has several)."""
    if not asked.path.is_dir() or _shards(asked.path) or _metadata(asked.path):
        return asked
    found = _tables(asked.path)
    if len(found) > 1:
        raise UserError(f"{asked.source} holds {len(found)} tables ({', '.join(one.name for one in found)}): name one "
                        "of them, and join others to it with `--join TABLE --on KEY`.")
    return asked.of(found[0])


def rows(asked: Asked) -> Rows:
    asked = within(asked)
    path = asked.path
    if path.is_dir() and (lists := _metadata(path)):
        return _listed(lists, asked)
    if path.is_dir():
        raw, folder = shards.rows([(name, path / name) for name in _shards(path)]), path
    else:
        raw, folder = _raw(path), path.parent
    return cells.resolved(raw, folder, asked)


def is_clean(path: Path, lacks_id: Callable[[Sequence[str]], bool] | None) -> bool:
    """Whether the rest of Trivium reads this table where it lies: its files are named by paths. Raises: UserError."""
    if path.suffix.lower() not in read.KINDS or not path.is_file():
        return False
    columns = read.columns(path)
    if lacks_id and lacks_id(columns):
        return False
    if path.suffix.lower() == ".parquet":
        import pyarrow.parquet as pq

        if any("ClassLabel" in json.dumps(one) for one in features.described(pq.read_schema(path)).values()):
            return False  # numbers that stand for names
    first = list(islice(_raw(path), cells.LOOK))
    sorts = cells.sorts(first, path.parent, None)
    return not set(sorts.values()) & {cells.CODED, cells.FETCHED} and not any(
        isinstance(cell, (Inline, dict)) for row in first for cell in row.values())


def _shards(path: Path) -> list[str]:
    """The Parquet files under a folder that holds no other data."""
    found = [name for name in islice(names(path), 10_000) if Path(name).suffix.lower() not in (".md", ".txt", "")]
    tables = [name for name in found if name.lower().endswith(".parquet")]
    return tables if len(tables) == len([name for name in found if not name.lower().endswith(".json")]) else []


def _metadata(path: Path) -> list[Path]:
    """`metadata.csv` and the like, in a folder or in those in it that are named after splits."""
    homes = [path, *sorted(one for one in path.iterdir() if one.is_dir() and one.name.casefold() in splits.KNOWN)]
    return [home / f"metadata{end}" for home in homes for end in read.KINDS if (home / f"metadata{end}").is_file()]


def _listed(lists: Sequence[Path], asked: Asked) -> Rows:
    sides = splits.some(path.parent.name for path in lists)
    for path in lists:
        for row in cells.resolved(_raw(path), path.parent, asked):
            kind = modality(str(row.get("file_name") or ""))
            if kind and kind not in row:
                row = {kind if name == "file_name" else name: cell for name, cell in row.items()}
            yield row | ({"split": splits.of(path.parent.name)} if sides and "split" not in row else {})


def _tables(path: Path) -> list[Path]:
    """Those at the top of a folder."""
    return sorted(one for one in path.iterdir() if one.suffix.lower() in read.KINDS and not one.name.startswith("."))


def _raw(path: Path) -> Rows:
    if path.suffix.lower() == ".parquet":
        return shards.one(path)
    return _json(path) if path.suffix.lower() == ".json" else _text(path)


def _text(path: Path) -> Rows:
    columns = read.columns(path)
    held = _objects(path) if path.suffix.lower() in (".jsonl", ".ndjson") else set[str]()
    flat = [name for name in columns if name not in held]
    for piece in read.pieces(path, flat, flat):
        for part in piece.to_batches(max_chunksize=shards.MANY):
            yield from part.to_pylist()


def _objects(path: Path) -> set[str]:
    """Columns of JSONL with objects in half of their cells, or more, which have no place in a table."""
    held, there = Counter[str](), Counter[str]()
    with utf8(path).open(encoding="utf-8-sig") as file:
        for line in islice(file, FEW):
            try:
                row = json.loads(line) if line.strip() else {}
            except ValueError:
                break  # whoever reads the file says where
            cells = row if isinstance(row, dict) else {}
            there.update(name for name, cell in cells.items() if cell is not None)
            held.update(name for name, cell in cells.items() if isinstance(cell, dict))
    return {name for name, count in held.items() if 2 * count >= there[name]}


def _json(path: Path) -> Rows:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON in UTF-8 ({error}).") from None
    if isinstance(found, dict) and (lists := [one for one in found.values() if isinstance(one, list)]):
        found = lists[0] if len(lists) == 1 else found  # {"data": [...]}
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        raise UserError(f"{path} holds no list of objects, one for each row, and no pictures with annotations as COCO "
                        "has them.")
    for row in found:
        yield {str(name): features.converter(None)(cell) for name, cell in row.items()}
