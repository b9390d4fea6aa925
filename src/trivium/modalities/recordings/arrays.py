"""Recordings in tables of Arrow, and in arrays of NumPy: channels by name, their times or their rate beside them.

A column per channel and a row per point; or one row whose cells are lists, as an import writes it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.modalities.recordings import Recording, Times, clock, counted, refuse_many

RATES = ("rate", "fs", "sampling_rate", "sample_rate", "samplingrate", "hz")
MISSING = ["", "nan", "NaN", "NAN", "NA", "N/A", "n/a", "null", "NULL", "None", "-", "?"]  # words for a gap
NUMBER = r"^[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?$|^[-+]?(?i:inf|infinity)$"
EXACT = (pa.float64(), pa.float32(), pa.int32(), pa.int16(), pa.int8(), pa.uint32(), pa.uint16(), pa.uint8())
HEAD = 128  # bytes that NumPy writes before the numbers
MANY = 64  # channels; an array with more of them than points lies on its side


def numpy(place: Path | io.BytesIO) -> Recording:
    """NPY: [N] or [N, C]; NPZ: arrays by name. Raises: ValueError."""
    if zipfile.is_zipfile(place):  # before anything is unpacked
        with zipfile.ZipFile(place) as archive:
            refuse_many(sum(max(0, one.file_size - HEAD) for one in archive.infolist()) // 8)
    try:
        loaded = np.load(place, allow_pickle=False)
        named = {"": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, KeyError) as error:
        why = "holds Python objects: save plain numbers" if "pickle" in str(error).lower() else f"is damaged ({error})"
        raise ValueError(f"the NumPy file {why}") from None
    rate = next((float(named.pop(name)) for name in list(named) if name.casefold() in RATES
                 and named[name].size == 1), None)
    columns: dict[str, np.ndarray] = {}
    for name, array in named.items():
        if array.dtype.kind not in "fiubM" or array.ndim > 2:
            if array.dtype.kind in "US":
                continue
            raise ValueError(f"holds an array of {array.ndim} axes and {array.dtype}: there may be numbers alone, one "
                             "axis of points, and one of channels")
        if array.ndim == 2 and array.shape[1] > max(MANY, array.shape[0]):
            raise ValueError(f"has {array.shape[0]:,} points of {array.shape[1]:,} channels: if that is the wrong way "
                             "around, save it transposed, points first")
        parts = array.T if array.ndim == 2 else [np.atleast_1d(array)]
        for k, part in enumerate(parts):
            columns[f"{name}.{k + 1}" if name and len(parts) > 1 else name or str(k + 1)] = part
    return _of({name: pa.array(np.ascontiguousarray(part)) for name, part in columns.items()}, rate)


def parquet(place: Path | io.BytesIO) -> Recording:
    """Raises: ValueError."""
    import pyarrow.parquet as pq

    try:
        about = pq.read_metadata(place)
        refuse_many(sum(about.row_group(k).column(j).num_values for k in range(about.num_row_groups)
                        for j in range(about.num_columns)))
        return of_table(pq.read_table(place, use_threads=False))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"the Parquet file is damaged ({error})") from None


def arrow(content: bytes) -> Recording:
    """All of a file: from a path, Arrow reads in threads, which takes ten times as long for a small one.
    Raises: ValueError.
    """
    try:
        with pa.ipc.open_file(content) as file:
            return of_table(file.get_batch(0) if file.num_record_batches == 1 else file.read_all())
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"the Arrow file is damaged ({error})") from None


def of_table(table: pa.Table | pa.RecordBatch) -> Recording:
    """Raises: ValueError."""
    columns: dict[str, Any] = {name: table[name] for name in table.column_names if name}
    if table.num_rows == 1 and (lists := [name for name, one in columns.items() if _is_list(one.type)]):
        columns |= {name: _flat(columns[name]) for name in lists}
        rate = next((float(columns.pop(name)[0].as_py()) for name in list(columns) if name.casefold() in RATES
                     and len(columns[name]) == 1), None)
        return _of({name: columns[name] for name in lists if name in columns}, rate)
    return _of(columns, None)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _flat(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The list in its only row. Without a function of Arrow's, which takes longer than all else of a short list."""
    cell = column[0].values
    return pa.array([], column.type.value_type) if cell is None else cell


def _of(columns: Mapping[str, Any], rate: float | None) -> Recording:
    """rate: points a second, where there are no times; without either, a point lasts a second."""
    lengths = {name: len(one) for name, one in columns.items()}
    if len(set(lengths.values())) > 1:
        some = ", ".join(f"{name}: {count:,}" for name, count in list(lengths.items())[:4])
        raise ValueError(f"its channels have different lengths ({some})")
    if rate is not None and not (np.isfinite(rate) and rate > 0):
        raise ValueError(f"says that it has {rate:g} points a second")
    named = clock.column(list(columns))
    timed = named if named is not None else next(
        (name for name, one in columns.items() if pa.types.is_timestamp(one.type)), None)
    values, names = [], []
    for name, one in columns.items():
        if name != timed and (numbers := _numbers(name, one)) is not None:
            names.append(name)
            values.append(numbers)
    count = next(iter(lengths.values()), 0)
    since = None
    if timed is None:
        times = counted(count, rate or 1.0)
    else:
        seconds, since = clock.read(timed, columns[timed])
        times = Times(seconds)
    joined = values[0][None] if len(values) == 1 else np.stack(values) if values else np.zeros((0, count))
    return Recording(times, joined, tuple(names), since, timed is not None or rate is not None)


def _numbers(name: str, cells: Any) -> np.ndarray | None:
    """float64 [N]; None of a column of other things. Raises: ValueError (numbers with a unit, or words among them)."""
    flat = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    kind = flat.type
    if kind in EXACT:  # float64 holds each; at once, see `_flat`
        return np.asarray(flat.to_numpy(zero_copy_only=False), np.float64)
    if pa.types.is_null(kind):
        return np.full(len(flat), np.nan)
    if pa.types.is_boolean(kind):
        flat = flat.cast(pa.int8())
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        flat = pc.utf8_trim_whitespace(flat)
        flat = pc.if_else(pc.is_in(flat, pa.array(MISSING, flat.type)), None, flat)
        given = flat.drop_null()
        odd = next((cell for cell in given[:100].to_pylist() if clock.UNIT.match(cell)), None)
        if odd:
            raise ValueError(f"column `{name}` holds numbers with a unit, such as `{odd[:clock.SHOWN]}`: write numbers "
                             f"alone, and the unit into the name, as in `{name} (mV)`")
        try:
            flat = flat.cast(pa.float64())
        except pa.ArrowException:
            _refuse_words(name, flat)
            return None
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return None
    return np.asarray(flat.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _refuse_words(name: str, cells: pa.Array) -> None:
    """Most are numbers: then the others are slips, and without the channel models would miss more than those.

    Raises: ValueError.
    """
    fits = pc.match_substring_regex(cells, NUMBER)
    words = pc.indices_nonzero(pc.invert(fits))
    if 0 < len(words) < (pc.sum(fits).as_py() or 0):
        first = words[0].as_py()
        raise ValueError(f"channel `{name}` has `{cells[first].as_py()[:clock.SHOWN]}` at point {first + 1}, which is "
                         "no number: write numbers alone, and leave gaps empty")
