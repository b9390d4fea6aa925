"""The texts of a stream as they were before any processor, cleaned, so that they can be changed and processed again.

`values.parquet`: column `text`, a row per sample, null where it lacks the stream.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 4096  # of a row group: no more are held in memory at a time
SCHEMA = pa.schema([("text", pa.string())])


def write(chunks: Iterable[pa.Array], path: Path) -> None:
    """chunks: of `ROWS` cleaned texts each, the last may have fewer. The same texts give the same bytes."""
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as file:
        for chunk in chunks:
            file.write_table(pa.table({"text": chunk}, SCHEMA), row_group_size=ROWS)


def read(path: Path, rows: np.ndarray) -> list[str]:
    """The texts of `rows` (int64 [B], any order), empty where there is none."""
    found = [""] * len(rows)
    with pq.ParquetFile(path) as file:
        group, row = np.divmod(np.asarray(rows), ROWS)
        for one in np.unique(group):
            texts = file.read_row_group(int(one), columns=["text"])["text"]
            for place in np.flatnonzero(group == one):
                found[place] = texts[int(row[place])].as_py() or ""
    return found


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
