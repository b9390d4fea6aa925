"""A table of new rows in, a table of answers out."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from trivium.machine.files import whole
from trivium.modalities import is_written
from trivium.runtime.answering import BATCH, Answering, columns
from trivium.runtime.values import TIMES
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 5  # rows in a message


def write(answering: Answering, manifest: Path, out: Path | None, title: str,
          names: Mapping[str, str] | None = None) -> None:
    """CSV to `out`, or to standard output: id, what `Task.answered` gives, warning: which stream could not be used and
    was left out, and error: why a row has no answer.

    title: of the progress;  names: see `read`
    Raises: UserError (no row has an answer; a file cannot be used).
    """
    from trivium.machine.progress import Progress

    samples = read(manifest, answering.streams, names, answering.cells).to_pylist()
    keys = [sample.pop("id", row) for row, sample in enumerate(samples, 1)]
    if out and (out.is_dir() or not out.parent.is_dir()):
        raise UserError(f"--out {out} " + ("is a folder: name a file in it." if out.is_dir() else
                                           f"cannot be written: there is no folder {out.parent}."))
    with whole(out) if out else nullcontext() as scratch:
        with scratch.open("w", encoding="utf-8", newline="") if scratch else nullcontext(sys.stdout) as file, \
                Progress(title, len(samples), "row") as progress:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["id", *columns(answering.task)])
            bad, partly = list[str](), list[str]()
            for start in range(0, len(samples), BATCH):
                found = answering.table(samples[start:start + BATCH], manifest.parent)
                for row, cells in enumerate(zip(*found.values(), strict=True), start):
                    table.writerow([keys[row], *(_cell(cell, answering.task.written) for cell in cells)])
                    for told, why in ((partly, cells[-2]), (bad, cells[-1])):
                        if why:
                            told.append(f"row {row + 1}, id {keys[row]}: {why}")
                progress.add(len(found["error"]))
        if bad and len(bad) == len(samples):
            raise UserError(f"None of the {len(samples):,} rows can be answered:\n{_first(bad)}")
        _tell(bad, len(samples), "no answer; the column `error` says why")
        _tell(partly, len(samples), "an answer without a stream that cannot be used; the column `warning` says which")


def sample(answering: Answering, given: Mapping[str, str | None], name: str) -> str:
    """The answer to one sample, as `Task.lines` has it. name: of what answers. Paths are relative to the current
    folder. Raises: UserError.
    """
    useless = [s for s, value in given.items() if value and s not in answering.streams]
    if useless:
        raise UserError(f"{name} was trained without {', '.join(useless)}: "
                        f"it knows {', '.join(answering.streams)}.")
    (found,), (warning,), (error,) = answering.answers([given])
    if error:
        raise UserError(f"The {error}.")
    if warning:
        print(f"note: the {warning}; the answer is that of the rest.", file=sys.stderr)
    return "\n".join(answering.task.lines(found))


def _cell(value: str | float | None, written: str) -> str:
    return format(value, written) if isinstance(value, float) else value or ""


def _first(told: Sequence[str]) -> str:
    more = [f"  ... and {len(told) - SHOWN:,} more"] if len(told) > SHOWN else []
    return "\n".join([f"  {one}" for one in told[:SHOWN]] + more)


def _tell(told: Sequence[str], total: int, what: str) -> None:
    """Say how many rows have `what`, and why the first do."""
    if told:
        print(f"note: {len(told):,} of {total:,} rows {'have' if len(told) > 1 else 'has'} {what}:\n{_first(told)}",
              file=sys.stderr)


def read(path: Path, streams: Mapping[str, str], names: Mapping[str, str] | None = None,
         cells: Mapping[str, Sequence[str]] | None = None) -> pa.Table:
    """What a CSV, JSONL or Parquet file, read as `ingest` does, has of `id`, the streams, `start` and `end`.

    streams: name -> modality;  names: what params.yaml calls the columns ("title": "caption"); neither their case nor
    white space around them matters.  cells: the columns of each stream of tables; without, the one of its name; those
    that the file lacks are missing.  Raises: UserError.
    """
    import pyarrow as pa

    from trivium.data.sources import rows
    from trivium.data.sources.manifest import values
    from trivium.data.sources.spelled import located

    known = rows.columns(path)
    called = {key: rows.named(name, known, path) for key, name in (names or {}).items()}
    chosen: dict[str, str] = {}
    tables = {s: {name: found for name in (cells or {}).get(s, (s,)) if (found := rows.named(name, known, path))}
              for s, modality in streams.items() if modality == "table"}
    tables = {s: own for s, own in tables.items() if own}
    for key in ("id", *(s for s in streams if s not in tables), *TIMES):
        own, other = rows.named(key, known, path), called.get(key)
        if other and own in [column for s, column in called.items() if s != key]:
            own = None  # a stream may be called like the column of another
        if found := own or other:
            chosen[key] = found
    if not (chosen.keys() | tables.keys()) & streams.keys():
        raise UserError(f"{path} has none of the columns {', '.join(streams)}; it has {', '.join(known)}.")
    table = rows.read(path, sorted({*chosen.values(), *(name for own in tables.values() for name in own.values())}))
    read = {key: table[name] for key, name in chosen.items()}
    read |= {s: values("table", {name: table[column] for name, column in own.items()}) for s, own in tables.items()}
    for s in (s for s in streams if s in read and s not in tables):
        read[s] = values(streams[s], {s: read[s]})
        if not is_written(streams[s]):
            read[s] = pa.array([value and located(value, path.parent) for value in read[s].to_pylist()], pa.string())
    return pa.table(read)
