"""A table of somebody's own with its media, and what params.yaml then says of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image
from ruamel.yaml import YAML

from trivium.params import load

COLUMNS = ("id", "label", "group", "split", "language", "domain", "time", "start", "end")
USUAL = {f"data.manifest.{what}": what for what in COLUMNS}


def media(folder: Path, rows: int = 6) -> Path:
    """`folder` with img/0.png ... of 20x40 pixels and wav/0.wav ... of half a second at 8 kHz."""
    for i in range(rows):
        for kind in ("img", "wav"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 40), i, np.uint8)).save(folder / f"img/{i}.png")
        soundfile.write(folder / f"wav/{i}.wav", np.zeros(4000), 8000)
    return folder


def manifest(path: Path, columns: dict[str, Any], rows: int = 6) -> str:
    """JSONL with the columns filled by format strings (`{i}`: the number of the row)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = [{name: value.format(i=i, y=i % 2) if isinstance(value, str) else value for name, value in columns.items()}
            for i in range(rows)]
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    return str(path)


def data() -> Any:
    return YAML(typ="safe").load(Path("params.yaml"))["data"]


def sizes(entry: str) -> Any:
    """`processor` of an entry of `encoder`."""
    return load().encoder[entry]["processor"]
