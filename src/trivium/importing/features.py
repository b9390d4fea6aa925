"""What the columns of a Hugging Face data set mean: names of classes, pictures and sounds with their bytes.

Its description stands in the schema of each of its Arrow and Parquet files; without one, a structure of `bytes` and
`path` is a file all the same, and so are bytes alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from trivium.importing.asked import Cell, Inline, Row

if TYPE_CHECKING:
    import pyarrow as pa

Convert = Callable[[Any], Cell]


def described(schema: pa.Schema) -> dict[str, Any]:
    """Column -> its description; {} where nobody wrote one."""
    try:
        found = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def rows(batch: pa.RecordBatch, found: Mapping[str, Any]) -> Iterator[Row]:
    """found: as `described`."""
    converts = {name: converter(found.get(name)) for name in batch.schema.names}
    for row in batch.to_pylist():
        yield {name: converts[name](value) for name, value in row.items()}


def converter(feature: Any) -> Convert:
    if isinstance(feature, list) and len(feature) == 1:  # how lists were written once
        feature = {"_type": "Sequence", "feature": feature[0]}
    kind = feature.get("_type") if isinstance(feature, dict) else ""
    if kind == "ClassLabel" and isinstance(names := feature.get("names"), list):
        return lambda value: _named(value, names)
    if kind in ("Sequence", "List", "LargeList"):
        one = converter(feature.get("feature"))
        return lambda value: [one(each) for each in value] if isinstance(value, list) else value
    return _file


def _named(value: Any, names: list[str]) -> Cell:
    """The class; none below 0, as in test sets whose labels are kept back."""
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    return names[value] if 0 <= value < len(names) else None


def _file(value: Any) -> Cell:
    if isinstance(value, bytes):
        return Inline(value)
    if isinstance(value, dict) and value and value.keys() <= {"bytes", "path", "sampling_rate"}:
        content, name = value.get("bytes"), value.get("path")
        return Inline(content, str(name or "")) if content or (content is not None and not name) else name
    return value
