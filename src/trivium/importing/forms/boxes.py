"""Pictures with annotations in JSON as COCO has them: classes of a picture, boxes, or captions.

The JSON is read whole. A picture of one class gets a label; if any has several, all get a list of tags. With boxes,
each of them is a row with `x`, `y`, `width` and `height` in pixels, and the rows of a picture are one group.
"""

from __future__ import annotations

import functools
import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from trivium.importing import splits, trees
from trivium.importing.asked import Asked, Row, Rows
from trivium.settings.errors import UserError

WORDS = "annotations in JSON (COCO)"
FILES = 20  # of annotations, in one folder


def knows(asked: Asked) -> bool:
    return bool(_files(asked.path))


def rows(asked: Asked) -> Rows:
    """Raises: UserError (no picture is there)."""
    files = _files(asked.path)
    sides = splits.some(file.relative_to(asked.path).as_posix() for file in files) if asked.path.is_dir() else False
    tagged = any(len(set(own)) > 1 for file in files for own in _classes(_read(file)).values())
    for file in files:
        side = splits.of(file.relative_to(asked.path).as_posix()) if sides else ""
        before = f"{side or file.stem}/" if len(files) > 1 else ""
        for row in _rows(file, asked, tagged):
            yield row | {"id": before + row["id"]} | ({"group": before + row["group"]} if "group" in row else {}) | (
                {"split": side} if sides else {})


def _rows(file: Path, asked: Asked, tagged: bool) -> Rows:
    found = _read(file)
    places = _places(file, asked)
    classes, captions = _classes(found), [one for one in found["annotations"] if one.get("caption")]
    names = _names(found)
    pictures = {str(one["id"]): _picture(str(one["file_name"]), places) for one in found["images"]}
    if pictures and not any(map(os.path.isfile, pictures.values())):
        raise UserError(f"None of the {len(pictures):,} pictures that {file} names is there, such as "
                        f"{next(iter(pictures.values()))}: name their folder with `--media FOLDER`.")
    if captions or asked.boxes:
        for one in captions or found["annotations"]:
            picture = str(one["image_id"])
            row: Row = {"id": str(one.get("id", picture)), "image": pictures.get(picture), "group": picture}
            if captions:
                yield row | {"text": str(one["caption"])}
            else:
                box = dict(zip(("x", "y", "width", "height"), _list(one.get("bbox")), strict=False))
                yield row | {"label": names.get(str(one.get("category_id")))} | box
        return
    for picture, path in pictures.items():
        own = sorted(set(classes.get(picture, [])))
        yield {"id": picture, "image": path, "label": own if tagged else own[0] if own else None}


def _picture(name: str, places: list[Path]) -> Path:
    """Where it is: as it is named, or by its name alone, in the first of the `places` that has it."""
    options = [place / one for place in places for one in dict.fromkeys((name, Path(name).name))]
    return next((path for path in options if os.path.isfile(path)), options[0])  # False of a name too long


def _places(file: Path, asked: Asked) -> list[Path]:
    home, part = file.parent, file.stem.rpartition("_")[2]  # instances_train2017
    near = [home, home / "images", home / part, home.parent, home.parent / part, home.parent / "images",
            home.parent / "images" / part]
    return [*([asked.media] if asked.media else []), *(place for place in near if place.is_dir())]


def _classes(found: dict[str, Any]) -> dict[str, list[str]]:
    """Picture -> the names of its classes."""
    names, classes = _names(found), defaultdict(list)
    for one in found["annotations"]:
        if one.get("category_id") is not None:
            classes[str(one["image_id"])].append(names.get(str(one["category_id"])) or str(one["category_id"]))
    return classes


def _names(found: dict[str, Any]) -> dict[str, str]:
    return {str(one["id"]): str(one["name"]) for one in _list(found.get("categories"))
            if isinstance(one, dict) and {"id", "name"} <= one.keys()}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = [path / name for name in trees.names(path) if name.lower().endswith(".json")]
        return found if 0 < len(found) <= FILES and all(map(_is_one, found)) else []
    return [path] if path.suffix.lower() == ".json" and path.is_file() and _is_one(path) else []


def _is_one(file: Path) -> bool:
    try:
        return bool(_read(file))
    except (OSError, ValueError, RecursionError):
        return False


@functools.lru_cache(FILES)
def _read(file: Path) -> dict[str, Any]:
    """{} of what is no such file."""
    found = json.loads(file.read_text(encoding="utf-8-sig"))
    if not isinstance(found, dict) or not all(isinstance(found.get(key), list) for key in ("images", "annotations")):
        return {}
    good = all(isinstance(one, dict) and {"id", "file_name"} <= one.keys() for one in found["images"]) and all(
        isinstance(one, dict) and "image_id" in one for one in found["annotations"])
    return found if good else {}
