"""A table of new rows in, a table of answers out: some rows at a time, in their order."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from trivium.runtime import away, written
from trivium.runtime.answering import Answering, columns
from trivium.runtime.reading import Samples, Table
from trivium.settings.errors import UserError

SHOWN = 5  # rows in a message


class Look(Protocol):
    """What sees all rows, and then says how they differ from those that a model learned from."""

    def see(self, samples: Samples) -> None: ...
    def told(self) -> list[str]: ...


class Many(Protocol):
    """Rows, some at a time, each with an `id` where it has one."""

    def count(self) -> float: ...
    def samples(self) -> Iterator[Samples]: ...


def write(answering: Answering, manifest: Path, out: Path | None, title: str,
          names: Mapping[str, str] | None = None, look: Look | None = None) -> int:
    """A file at `out` (CSV, JSONL or Parquet, by its ending), or CSV on standard output: id, or where there is none
    the number of the row; what `Task.answered` gives; warning: which stream could not be used and was left out; and
    error: why a row has no answer. Returns how many rows have none.

    title: of the progress;  names: see `Table.of`
    Raises: UserError (no row has an answer; a file cannot be used).
    """
    written.check(out)
    table = Table.of(manifest, answering.streams, names, answering.cells)
    own = {s: cells for s, cells in answering.cells.items() if s in answering.read}
    if lacking := table.lacks(answering.read, own):
        print(f"note: {lacking}", file=sys.stderr)
    return answer(answering, table, manifest.parent, out, title, look)


def answer(answering: Answering, table: Many, root: Path, out: Path | None, title: str,
           look: Look | None = None, why: Mapping[str, str] | None = None) -> int:
    """As `write`, of rows from anywhere. root: of relative paths;  why: by id, why a row has nothing to be answered of.
    Raises: as `write`.
    """
    from trivium.machine.progress import Progress

    written.check(out)
    bad, partly, row, told = Told(), Told(), 0, why or {}
    with written.writing(out, columns(answering.task), answering.task.written) as add, away.decoding(), \
            Progress(title, table.count(), "row") as progress:
        for samples in table.samples():
            keys = [sample.pop("id", None) or str(at) for at, sample in enumerate(samples, row + 1)]
            found = answering.table(samples, root)
            found["error"] = [error and told.get(str(key), error)
                              for key, error in zip(keys, found["error"], strict=True)]
            add(list(zip(keys, *found.values(), strict=True)))
            for key, warning, error in zip(keys, found["warning"], found["error"], strict=True):
                row += 1
                partly.add(row, key, warning)
                bad.add(row, key, error)
            if look:
                look.see(samples)
            progress.add(len(samples))
        if bad.count == row:
            raise UserError(f"None of the {row:,} rows can be answered:\n{bad.first()}")
    bad.tell(row, "no answer; the column `error` says why")
    partly.tell(row, "an answer without a stream that cannot be used; the column `warning` says which")
    for words in look.told() if look else ():
        print(f"note: {words}", file=sys.stderr)
    return bad.count


def sample(answering: Answering, given: Mapping[str, str | None], name: str) -> str:
    """The answer to one sample, as `Task.lines` has it. name: of what answers. Paths are relative to the current
    folder. Raises: UserError.
    """
    useless = [s for s, value in given.items() if value and s not in answering.streams]
    if useless:
        raise UserError(f"{name} was trained without {', '.join(useless)}: "
                        f"it knows {', '.join(answering.streams)}.")
    (found,), (warning,), (error,) = answering.answers([given])  # here: workers would take longer to start than it does
    if error:
        raise UserError(f"The {error}.")
    if warning:
        print(f"note: the {warning}; the answer is that of the rest.", file=sys.stderr)
    return "\n".join(answering.task.lines(found))


class Told:
    """How many rows have something to be said of them, and what it is of the first."""

    def __init__(self) -> None:
        self.count, self._shown = 0, list[str]()

    def add(self, row: int, key: object, why: str | None) -> None:
        if why:
            self.count += 1
            if self.count <= SHOWN:
                self._shown.append(f"  row {row}, id {key}: {why}")

    def first(self) -> str:
        more = [f"  ... and {self.count - SHOWN:,} more"] if self.count > SHOWN else []
        return "\n".join(self._shown + more)

    def tell(self, total: int, what: str) -> None:
        if self.count:
            print(f"note: {self.count:,} of {total:,} rows {'have' if self.count > 1 else 'has'} {what}:\n"
                  f"{self.first()}", file=sys.stderr)
