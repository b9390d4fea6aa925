"""The tables between the stages: their columns, and how they are read and written.

Modality tables (`text.parquet`, `image.parquet`, `audio.parquet`):
    key     string   joins to `labels.key`
    value   string   the text itself, or the path of the medium relative to `meta.json`'s `root`
    digest  string   of the content, so that a changed file is noticed by every later stage
    start, end  float64, seconds; optional: the part of the recording that the row is about

`labels.parquet`, one row per sample:
    sample  string, unique;  key  string;  label  string
    group, domain, language, split  string or null; optional
    start, end  float64, seconds; optional

`samples.parquet` (after align), one row per sample, in the order of `sample`:
    sample, label, group, domain, language, split (nulls where unknown), y int32 (index into `meta.json`'s `classes`)
    duplicate_group  string or null: rows that share content
    per modality m:  m  string or null (value),  m_start, m_end  float64 or null (seconds),  has_m  bool
    and of media  m_digest  string or null: a changed file changes this table, and so all that is made of it
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

GROUPS = 3  # that a test set needs, at least, to tell how much groups differ
SPLITS = ("train", "val", "test", "unlabelled", "unused", "domain")  # domain: held out, see settings.Split


def read(path: str | Path) -> pa.Table:
    with pq.ParquetFile(path) as file:  # `read_table` imports pyarrow's datasets, which every stage would wait for
        return file.read()


def write(table: pa.Table, path: str | Path) -> None:
    """The same table gives the same bytes: no pandas metadata, no timestamps."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd")


def read_json(path: str | Path) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_json(value: Any, path: str | Path, sort: bool = True) -> None:
    """sort: False where the order of keys says something."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=1, sort_keys=sort, ensure_ascii=False, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def read_yaml(path: str | Path) -> dict[str, Any]:
    """The content of a YAML file, {} when there is none."""
    if not Path(path).exists():
        return {}
    import yaml  # the C loader: dvc.lock can be long

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=loader) or {}


def rounded(value: Any) -> Any:
    """A JSON value with six decimals: more are noise, and would make the file three times as large."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return round(value, 6) if isinstance(value, float) else value


def digest(content: bytes) -> str:
    """128 bits of BLAKE2b, hexadecimal."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()
