"""A recording as the content of a file, of one row whose cells are lists; `arrays.arrow` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa


def content(channels: Mapping[str, Any], rate: float | None = None) -> bytes:
    """An Arrow file; the same numbers give the same bytes. channels: numbers of each, an Arrow or NumPy array; one may
    be called `time`;  rate: points a second, where none is.
    """
    columns = {name: _row(one if isinstance(one, pa.Array) else pa.array(one)) for name, one in channels.items()}
    if rate is not None:
        columns["rate"] = pa.array([float(rate)])
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    return sink.getvalue().to_pybytes()


def _row(values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)
