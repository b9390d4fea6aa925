"""One stream as one processor gives it: a folder with `x.arrow`, tokenizers and `reading.json`.

Legend: `B` samples, `S` seeds, `C` entries along `spec.STATISTICS_AXIS`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from trivium import modalities as registry
from trivium.data import cells, tables, tokenized
from trivium.data.arrow_file import Writer
from trivium.data.ragged import RaggedWriter
from trivium.data.rows import Cut, Reading, Rows, results
from trivium.machine.workers import Map
from trivium.modalities import media
from trivium.modalities.spec import STATISTICS_AXIS, STORED, Spec, mean_and_deviation
from trivium.settings.errors import UserError

AGAIN = 512  # further rows that are read at a time


def fill(run: Map, rows: Rows, several: Mapping[Path, Reading], seen: np.ndarray) -> None:
    """Write the folder of each of `several`, by its path. Those of media are written together: each file is opened once
    for all. seen: bool [S, rows] of what each seed may learn from.
    """
    specs = {out: replace(registry.processor(one.processor).spec(one.settings), name=one.stream, modality=one.modality)
             for out, one in several.items()}
    one_by_one = {"tokens": tokenized.fill, "counts": _counts, "columns": _columns}
    media = [(out, one, specs[out]) for out, one in several.items() if specs[out].kind not in one_by_one]
    for out, made in _tensors(run, rows, seen, media):
        _describe(out, *made)
    for out, one in several.items():
        if make := one_by_one.get(specs[out].kind):
            _describe(out, *make(run, rows, seen, one, specs[out], out))


def _describe(out: Path, spec: Spec, columns: list[str], statistics: list, cut: Cut, *about: Any) -> None:
    """Write `reading.json`, beside what else is in the folder."""
    files = sorted(file for file in out.iterdir())
    content = b"".join(file.name.encode() + _hash(file) for file in files)
    tables.write_json({"spec": spec.plain(), "columns": columns, "statistics": statistics, "cut": cut.plain(),
                       "digest": tables.digest(content + json.dumps(statistics).encode()),
                       **({"table": about[0]} if about else {})}, out / "reading.json")


def again(run: Map, rows: Rows, one: Reading, spec: Spec, fitted: Sequence[Path]) -> Iterator[np.ndarray]:
    """What `one` makes of further rows with what it was fitted before, a piece at a time: [B, columns, size]; not of
    counts of n-grams. fitted: the file of each column, where anything was fitted.
    """
    if spec.kind == "tokens":
        work = functools.partial(tokenized.encode, one, spec, [str(path) for path in fitted])
        yield from (ids for _, (ids, _) in results(run, work, rows, rows.texts(AGAIN)))
    elif spec.kind == "columns":
        part = registry.processor(one.processor)
        made = [part.load(path.read_text(encoding="utf-8")) for path in fitted]
        for chunk in rows.chunks(AGAIN):
            values = [item[1] for item in chunk]
            yield np.stack([part.encode(values, each, spec) for each in made], 1).reshape(len(chunk), len(made), -1)
    else:
        decode = functools.partial(_decode, [(one, spec)], rows.root)
        for _, ((x, *_),) in results(run, decode, rows, rows.chunks(AGAIN)):
            yield x.reshape(len(x), 1, -1)


def counted_again(run: Map, rows: Rows, one: Reading) -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
    """Ids and counts of the n-grams of further rows, some rows at a time: nothing is fitted."""
    return (found for _, found in results(run, functools.partial(_count, one), rows, rows.chunks(AGAIN)))


def _hash(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, functools.partial(hashlib.blake2b, digest_size=16)).digest()


def _tensors(run: Map, rows: Rows, seen: np.ndarray, several: Sequence[tuple[Path, Reading, Spec]],
             ) -> list[tuple[Path, tuple]]:
    """Decode, write and sum up in one pass. `seen`: bool [S, rows] of what each seed may learn from."""
    if not several:
        return []
    with ExitStack() as files:
        each = [_Tensors(one, spec, seen, files.enter_context(
            Writer(out / "x.arrow", ["x"], math.prod(spec.shape), STORED[spec.kind]))) for out, one, spec in several]
        work = functools.partial(_decode, [(one, spec) for _, one, spec in several], rows.root)
        for _, found in results(run, work, rows, rows.chunks(min(one.writer.chunk for one in each))):
            for one, made in zip(each, found, strict=True):
                one.add(*made)
    return [(out, one.end()) for (out, *_), one in zip(several, each, strict=True)]


class _Tensors:
    """The tensors of one reading, as they are made, and what is known of all."""

    def __init__(self, one: Reading, spec: Spec, seen: np.ndarray, writer: Writer) -> None:
        self.one, self.spec, self.seen, self.writer = one, spec, seen, writer
        self.entries = spec.shape[STATISTICS_AXIS[spec.kind]]
        self.cut = Cut("seconds", "seconds" if "seconds" in type(one.settings).model_fields else "frames")
        self.sums, self.row, self.waiting = np.zeros((len(seen), 2, self.entries)), 0, list[np.ndarray]()

    def add(self, x: np.ndarray, moments: np.ndarray, parts: np.ndarray, empty: Sequence[str]) -> None:
        """See `_decode`."""
        self.writer.add(x.reshape(len(x), 1, -1))
        self.cut.add(parts, empty)
        self.waiting.append(moments)
        while sum(map(len, self.waiting)) >= self.writer.chunk:
            self._sum()

    def _sum(self) -> None:
        """Of as many rows as the file takes at once, whoever reads along: the order of sums says how they are rounded.
        """
        both = np.concatenate(self.waiting)
        moments, self.waiting = both[: self.writer.chunk], [both[self.writer.chunk:]]
        for k, chosen in enumerate(self.seen[:, self.row: self.row + len(moments)]):
            self.sums[k] += moments[chosen].sum(0)
        self.row += len(moments)

    def end(self) -> tuple:
        """Its spec, columns, statistics and `Cut`."""
        if self.waiting:
            self._sum()
        one, spec, half = self.one, self.spec, self.entries // 2
        if spec.kind == "series":
            registry.get(one.modality).refuse_absent(one.stream, one.settings, self.sums[:, 0, half:].sum(0))
        counts = self.seen.sum(1) * (math.prod(spec.shape) // self.entries)
        fixed = getattr(one.settings, "statistics", None)
        statistics = [fixed or mean_and_deviation(spec, sums, n) for sums, n in zip(self.sums, counts, strict=True)]
        return spec, ["x"] * len(self.seen), statistics, self.cut


def _counts(run: Map, rows: Rows, seen: np.ndarray, one: Reading, spec: Spec, out: Path) -> tuple:
    """Counts of n-grams: nothing is fitted, and nothing is cut."""
    with RaggedWriter(out / "x.arrow") as writer:
        for _, found in results(run, functools.partial(_count, one), rows, rows.chunks(512)):
            writer.add(found)
    return spec, ["x"] * len(seen), [None] * len(seen), Cut("tokens", "length")


def _columns(run: Map, rows: Rows, seen: np.ndarray, one: Reading, spec: Spec, out: Path) -> tuple:
    """What is fitted on each seed's rows, then one pass; nothing is cut."""
    spec, columns, about = cells.fill(rows, seen, one, spec, out)
    return spec, columns, [None] * len(seen), Cut("tokens", "length"), about


def _count(one: Reading, chunk: list[tuple]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Ids and counts of each row. Runs in a worker."""
    return registry.processor(one.processor).counts([item[1] or "" for item in chunk], one.settings)


def _decode(several: Sequence[tuple[Reading, Spec]], root: str, chunk: list[tuple]) -> list[tuple]:
    """Of each of `several` readings: x [B, *shape]; its sums and sums of squares per row, float64 [B, 2, C]; parts and
    empty samples for `Cut`. Runs in a worker.
    """
    each = [_Decoded(one, spec, len(chunk)) for one, spec in several]
    for i, (sample, value, start, end, digest) in enumerate(chunk):
        if value is None:
            continue
        try:
            if digest and not media.is_path(value) and media.digest(value, root) != digest:
                raise ValueError("it has other content than when `ingest` ran")
            for one in each:
                one.add(i, sample, value, root, start, end)
        except ValueError as error:
            raise UserError(f"Sample `{sample}`: {several[0][0].stream} `{value}` in {root}: {error}. It could be read "
                            "when `validate` ran, so the file has changed since: restore it, or run "
                            "`dvc repro -f ingest` and then `dvc repro`, which put the row into quarantine.") from None
    return [one.end() for one in each]


class _Decoded:
    """What one reading makes of `count` rows. read: what is made into numbers all at once, see `modalities`."""

    def __init__(self, one: Reading, spec: Spec, count: int) -> None:
        self.settings, self.spec = one.settings, spec
        self.part = registry.processor(one.processor)
        self.many = hasattr(self.part, "together")
        self.x = np.zeros((count, *spec.shape), STORED[spec.kind])
        self.read, self.lengths, self.empty = dict[int, Any](), list[float](), list[str]()
        self.length, self.kept = (getattr(registry.get(one.modality), name, None) for name in ("length", "kept"))

    def add(self, i: int, sample: str, *where: Any) -> None:
        """The row `i`; where: value, root, start and end. Raises: ValueError."""
        if self.many:
            self.read[i] = self.part.read(*where, self.settings)
        else:
            self.x[i] = self.part.decode(*where, self.settings)
        if self.kept:
            lasts, some = self.kept(*where, self.settings)
            self.lengths.append(lasts)
            self.empty += [] if some else [sample]
        elif self.length:
            self.lengths.append(self.length(*where))

    def end(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
        x, axis, parts = self.x, STATISTICS_AXIS[self.spec.kind], np.zeros((0, 2))
        if self.read:
            x[list(self.read)] = self.part.together(list(self.read.values()))
        whole, sums = (np.uint32, np.int64) if x.dtype == np.uint8 else (np.float64, np.float64)  # exact, too
        exact = np.moveaxis(x, 1 + axis, 1).astype(whole).reshape(len(x), self.spec.shape[axis], -1)
        if self.lengths:
            kept = np.minimum(self.lengths, self.settings.seconds)
            parts = np.stack([kept, np.array(self.lengths) - kept], axis=1)
        moments = np.stack([exact.sum(2, dtype=sums), np.square(exact).sum(2, dtype=sums)], axis=1)
        return x, moments, parts, self.empty
