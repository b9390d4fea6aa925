"""Measures every value by decoding it, in parallel processes, without holding what was decoded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from trivium.machine import limited
from trivium.machine.progress import Progress
from trivium.machine.workers import cores, processes
from trivium.settings.errors import UserError
from trivium.settings.failures import GONE

if TYPE_CHECKING:  # workers import this file, and have no need of Arrow
    import pyarrow as pa

CHUNK = 32         # values per task
AHEAD = 256        # tasks handed out before the first result is taken: decoding goes on while libraries load
MANY = 1 << 16     # values that are judged together, where nothing is decoded

# stream, modality, root, values with start and end
Task = tuple[str, str, str, list[tuple[str | None, float | None, float | None]]]
Measures = dict[str, np.ndarray]


class Columns(Protocol):
    """A `pa.Table`, or what reads one by pieces."""

    @property
    def num_rows(self) -> int: ...
    def select(self, columns: Sequence[str]) -> Columns: ...
    def to_batches(self, max_chunksize: int) -> Iterable[pa.RecordBatch]: ...


def probe(rows: Mapping[str, Columns], streams: Mapping[str, str], root: str,
          meanwhile: Callable[[], object] = lambda: None) -> dict[str, Measures]:
    """Per stream: `error` (object [rows]: why the value cannot be used, else None) and float64 [rows] of each
    measurement that its modality makes, NaN where there is none. `meanwhile` is called once while others decode.

    rows: the table of each stream;  streams: name -> modality
    A value that crashes its decoder, or keeps it busy without end, is an error like any other; it does not stop the
    rest.
    """
    found: dict[str, Measures] = {s: {"error": np.full(t.num_rows, None, dtype=object)} for s, t in rows.items()}
    decoded = {s: table for s, table in rows.items() if not _together(streams[s], table, found[s])}
    total = sum(table.num_rows for table in decoded.values())
    done = dict.fromkeys(decoded, 0)
    progress = None
    for task, results in measured(_work, _tasks(decoded, streams, root), total, meanwhile):
        progress = progress or Progress("checking values", total, "value")  # its clock starts when libraries are loaded
        stream, at = task[0], done[task[0]]
        for row, result in enumerate(results, at):
            for name, value in result.items():
                if name not in found[stream]:
                    found[stream][name] = np.full(rows[stream].num_rows, np.nan)
                found[stream][name][row] = value
        done[stream] += len(results)
        progress.add(len(results))
    if progress:
        progress.close()
    return found


def _together(modality: str, table: Columns, found: Measures) -> bool:
    """Whether all values of a modality can be judged at once, without other processes; it is then done."""
    from trivium import modalities

    part, row = modalities.get(modality), 0
    errors, measures = (getattr(part, name, None) for name in ("errors", "measures"))
    if not errors and not measures:
        return False
    for batch in table.select(["value"]).to_batches(max_chunksize=MANY):
        values = _chunked(batch.column(0))
        if errors:
            found["error"][row: row + len(values)] = errors(values)
        for name, each in measures(values).items() if measures else ():
            found.setdefault(name, np.full(table.num_rows, np.nan))[row: row + len(values)] = each
        row += len(values)
    return True


def _chunked(values: pa.Array) -> pa.ChunkedArray:
    import pyarrow as pa

    return pa.chunked_array([values])


def _tasks(rows: Mapping[str, Columns], streams: Mapping[str, str], root: str) -> Iterator[Task]:
    for stream, table in rows.items():
        for batch in table.select(["value", "start", "end"]).to_batches(max_chunksize=CHUNK):
            values = list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
            yield stream, streams[stream], root, values


def measured(work: Callable[[Task], list[dict]], tasks: Iterator[Task], total: int,
             meanwhile: Callable[[], object]) -> Iterator[tuple[Task, list[dict]]]:
    """Each task with its results, in order; `total` values in all. A value whose work kills its process, or does not
    end, is an error.
    """
    if not total:
        meanwhile()
        return
    count = min(cores(), math.ceil(total / CHUNK))
    with processes(count, clean=True, begin=None) as run:
        results = limited.each(run, work, tasks, lambda why: {"error": why}, AHEAD)
        meanwhile()
        yield from results


def _work(task: Task) -> list[dict[str, Any]]:
    from trivium import modalities

    _, modality, root, values = task
    measure = modalities.get(modality).probe
    results = []
    for value, start, end in values:
        try:
            results.append({} if value is None else measure(value, root, start, end))
        except UserError:
            raise
        except Exception as error:  # a decoder's own bug must not stop the other rows
            results.append({"error": f"cannot be decoded: {error or type(error).__name__}"})
        if "error" in results[-1] and isinstance(value, str):
            _disk(Path(root) / value)
    return results


def _disk(path: Path) -> None:
    """Raises: OSError (the disk with the file has gone: the row is not to blame)."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                while file.read(1 << 20):
                    pass
    except (OSError, ValueError) as error:  # ValueError: a NUL
        if isinstance(error, OSError) and error.errno in GONE:
            raise
