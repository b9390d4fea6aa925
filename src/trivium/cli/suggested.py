"""What a look at the tables of streams on a clock suggests to the encoders that read them. It is told, and nothing is
written: such settings are their author's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trivium.cli import sizes
from trivium.data.settings import Align
from trivium.data.sources import rows
from trivium.modalities import is_timed
from trivium.settings.errors import UserError

AT_LEAST = 1.5  # times as much that a number is to differ, before anybody hears of it


def notes(settings: Mapping[str, Any], root: Path) -> list[str]:
    """A sentence for each setting of a processor that is far from what suits the files that the tables name.

    settings: of params.yaml in `root`.
    """
    window = Align.model_validate(settings["align"]).window
    found = []
    for s, stream in settings["data"]["streams"].items():
        if not isinstance(stream, Mapping) or not stream.get("table") or not is_timed(str(stream.get("modality"))):
            continue
        path = root / str(stream["table"]["path"])
        try:
            column = rows.named(str(stream.get("column") or s), rows.columns(path), path)
            values = {str(stream["modality"]): [rows.read(path, [column])[column]]} if column else {}
        except UserError:  # ingest says what is wrong with it
            continue
        suits = sizes.suit(values, path.parent, [window[1] - window[0]] if window else ())
        for key, value in sizes.processors(suits, settings).items():
            if _far(have := _at(settings, key), value):
                found.append(f"a look at {path} suggests `{key}: {_plain(value)}` for {s}; it is {_plain(have)}.")
    return found


def _far(have: Any, value: Any) -> bool:
    if isinstance(have, int | float) and isinstance(value, int | float):
        return not value / AT_LEAST <= have <= value * AT_LEAST
    return bool(value) and not have


def _at(settings: Any, key: str) -> Any:
    for name in key.split("."):
        settings = settings.get(name) if isinstance(settings, Mapping) else None
    return settings


def _plain(value: Any) -> str:
    return "not set" if value is None or value == [] else str(list(value) if isinstance(value, list) else value)
