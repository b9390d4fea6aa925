"""Series in a table: Parquet or Arrow whose cells are lists of numbers, a column for each channel, and one of lists of
times for all of them, if there is one. Each row's series becomes a file beside the table.
"""

from __future__ import annotations

from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from trivium.importing import shards
from trivium.importing.asked import Asked, Inline, Row, Rows
from trivium.modalities.recordings import clock
from trivium.modalities.recordings.arrays import RATES
from trivium.modalities.recordings.written import content

WORDS = "series in lists of numbers (Parquet)"
NAME = "series"  # of the column that names the files
LEAST = 16  # points; shorter lists are something else, such as several numbers to be predicted
FEW = 64  # rows that tell


def knows(asked: Asked) -> bool:
    if not asked.path.is_file() or asked.path.suffix.lower() not in (".parquet", ".arrow", ".feather"):
        return False
    head = next(iter(shards.batches(asked.path)), None)
    return head is not None and bool(_channels(head))


def rows(asked: Asked) -> Rows:
    """Every other column stays as it is. Raises: UserError."""
    channels, together = list[str](), True
    for batch in shards.batches(asked.path):
        if not channels:
            channels = _channels(batch)
            together = _together(batch, channels)
        rates = [name for name in batch.schema.names if name.casefold() in RATES]
        plain = batch.drop_columns([*channels, *rates]).to_pylist()
        for k, row in enumerate(plain):
            rate = next((found for name in rates if (found := batch[name][k].as_py())), None)
            found = {name: batch[name][k].values for name in channels if batch[name][k].is_valid}
            yield row | _files(found, rate, together)


def _files(found: dict[str, pa.Array], rate: float | None, together: bool) -> Row:
    time = clock.column(list(found))
    if not found or list(found) == [time]:
        return {NAME: None}
    if together:
        return {NAME: Inline(content(found, rate), "series.arrow")}
    times = {time: found[time]} if time else {}
    made: Row = {}
    for name, one in found.items():
        if name != time:
            own = {name: one} | {key: same for key, same in times.items() if len(same) == len(one)}
            made[name] = Inline(content(own, rate), "series.arrow")
    return made


def _channels(batch: pa.RecordBatch) -> list[str]:
    """Columns of lists of numbers, or of times beside these."""
    lists = {field.name: field.type.value_type for field in batch.schema
             if pa.types.is_list(field.type) or pa.types.is_large_list(field.type)
             or pa.types.is_fixed_size_list(field.type)}
    long = [name for name in lists if (pc.max(_lengths(batch[name])).as_py() or 0) >= LEAST]
    numbers = [name for name in long if pa.types.is_integer(lists[name]) or pa.types.is_floating(lists[name])]
    time = clock.column(long)
    return [name for name in long if name in numbers or name == time] if set(numbers) - {time} else []


def _together(batch: pa.RecordBatch, channels: list[str]) -> bool:
    """Whether, in most rows, all channels have as many points: they are then one series."""
    first = [_lengths(batch[name]).slice(0, FEW).to_pylist() for name in channels]
    same = [len(set(row) - {None}) <= 1 for row in islice(zip(*first, strict=True), FEW)]
    return 2 * sum(same) > len(same)


def _lengths(column: pa.Array) -> pa.Array:
    return pc.list_value_length(column)
