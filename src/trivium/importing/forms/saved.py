"""A Hugging Face data set on this disk, as `save_to_disk` leaves it: Arrow files, and JSON that describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trivium.importing import cells, shards
from trivium.importing.asked import Asked, Rows
from trivium.machine.files import read_json_or
from trivium.settings.errors import UserError

WORDS = "a Hugging Face data set saved on disk"
MANY, ONE, INFO = "dataset_dict.json", "state.json", "dataset_info.json"


def knows(asked: Asked) -> bool:
    return (asked.path.is_dir() and any((asked.path / name).is_file() for name in (MANY, ONE))) or bool(
        asked.path.is_dir() and (asked.path / INFO).is_file() and list(asked.path.glob("*.arrow")))


def rows(asked: Asked) -> Rows:
    path = asked.path
    parts = _listed(path / MANY, "splits") or [""]
    files = [(str(part) or file.stem, file) for part in parts for file in _files(path / str(part))]
    return cells.resolved(shards.rows(files), path, asked)


def _listed(file: Path, key: str) -> list[Any]:
    """What a JSON object lists there; [] where it does not."""
    found = read_json_or(file, {})
    listed = found.get(key) if isinstance(found, dict) else None
    return listed if isinstance(listed, list) else []


def _files(folder: Path) -> list[Path]:
    named = [str(one.get("filename")) for one in _listed(folder / ONE, "_data_files") if isinstance(one, dict)]
    found = [folder / Path(name).name for name in named] or sorted(folder.glob("*.arrow"))
    if not found:
        raise UserError(f"{folder} has no Arrow file, though a data set seems to be saved there: save it again.")
    if lost := [path for path in found if not path.is_file()]:
        raise UserError(f"{folder} is incomplete: {lost[0].name} is missing. Copy the whole folder again.")
    return found
