"""Small files of each sort, and what an import makes of them."""

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from PIL import Image

from trivium import importing


def png(value: int = 0) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((4, 6), value, np.uint8)).save(file, "PNG")
    return file.getvalue()


def wav() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(80), 8000, format="WAV")
    return file.getvalue()


def put(files: Mapping[str, bytes | str]) -> None:
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def shard(name: str, members: Sequence[tuple[str, bytes]], mode: Any = "w") -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(name, mode) as file:
        for member, content in members:
            about = tarfile.TarInfo(member)
            about.size = len(content)
            file.addfile(about, io.BytesIO(content))


def parquet(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), name)


def no_id(names: Sequence[str]) -> bool:
    return "id" not in names


def rows(source: str, **options: Any) -> list[dict[str, Any]]:
    """Of what `source` is imported as, each without its empty cells."""
    made = pq.read_table(importing.table(source, lacks_id=no_id, **options).path).to_pylist()
    return [{name: cell for name, cell in row.items() if cell is not None} for row in made]
