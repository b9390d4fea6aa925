"""One stream as one processor gives it: a folder with `x.arrow`, tokenizers and `reading.json`.

Legend: `B` samples, `S` seeds, `C` entries along `spec.STATISTICS_AXIS`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

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


def fill(run: Map, rows: Rows, one: Reading, seen: np.ndarray, out: Path) -> None:
    """Write the folder of `one`. seen: bool [S, rows] of what each seed may learn from."""
    part = registry.processor(one.processor)
    spec = replace(part.spec(one.settings), name=one.stream, modality=one.modality)
    make = {"tokens": tokenized.fill, "counts": _counts, "columns": _columns}.get(spec.kind, _tensors)
    spec, columns, statistics, cut, *about = make(run, rows, seen, one, spec, out)
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
        for _, (x, *_) in results(run, functools.partial(_decode, one, spec, rows.root), rows, rows.chunks(AGAIN)):
            yield x.reshape(len(x), 1, -1)


def counted_again(run: Map, rows: Rows, one: Reading) -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
    """Ids and counts of the n-grams of further rows, some rows at a time: nothing is fitted."""
    return (found for _, found in results(run, functools.partial(_count, one), rows, rows.chunks(AGAIN)))


def _hash(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, functools.partial(hashlib.blake2b, digest_size=16)).digest()


def _tensors(run: Map, rows: Rows, seen: np.ndarray, one: Reading, spec: Spec, out: Path) -> tuple:
    """Decode, write and sum up in one pass. `seen`: bool [S, rows] of what each seed may learn from."""
    size = math.prod(spec.shape)
    entries = spec.shape[STATISTICS_AXIS[spec.kind]]
    setting = "seconds" if "seconds" in type(one.settings).model_fields else "frames"
    sums, cut = np.zeros((len(seen), 2, entries)), Cut("seconds", setting)
    work = functools.partial(_decode, one, spec, rows.root)
    with Writer(out / "x.arrow", ["x"], size, STORED[spec.kind]) as writer:
        for row, (x, moments, parts, empty) in results(run, work, rows, rows.chunks(writer.chunk)):
            writer.add(x.reshape(len(x), 1, size))
            cut.add(parts, empty)
            for k, chosen in enumerate(seen[:, row: row + len(x)]):
                sums[k] += moments[chosen].sum(0)
    if spec.kind == "series":
        registry.get(one.modality).refuse_absent(one.stream, one.settings, sums[:, 0, entries // 2:].sum(0))
    counts = seen.sum(1) * (size // entries)
    fixed = getattr(one.settings, "statistics", None)
    statistics = [fixed or mean_and_deviation(spec, total, n) for total, n in zip(sums, counts, strict=True)]
    return spec, ["x"] * len(seen), statistics, cut


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


def _decode(one: Reading, spec: Spec, root: str, chunk: list[tuple],
            ) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """x [B, *shape]; its sums and sums of squares per row, float64 [B, 2, C]; parts and empty samples for `Cut`. Runs
    in a worker.
    """
    part = registry.processor(one.processor)
    many = hasattr(part, "together")  # whether rows are read one by one, and all made into numbers at once
    decode = part.read if many else part.decode
    length, kept = (getattr(registry.get(one.modality), name, None) for name in ("length", "kept"))
    x, parts = np.zeros((len(chunk), *spec.shape), STORED[spec.kind]), np.zeros((0, 2))
    lengths, read, empty = [], {}, list[str]()
    for i, (sample, value, start, end, digest) in enumerate(chunk):
        if value is None:
            continue
        try:
            if digest and not media.is_path(value) and media.digest(value, root) != digest:
                raise ValueError("it has other content than when `ingest` ran")
            made = decode(value, root, start, end, one.settings)
            if many:
                read[i] = made
            else:
                x[i] = made
            if kept is not None:
                lasts, some = kept(value, root, start, end, one.settings)
                lengths.append(lasts)
                empty += [] if some else [sample]
            elif length is not None:
                lengths.append(length(value, root, start, end))
        except ValueError as error:
            raise UserError(f"Sample `{sample}`: {spec.name} `{value}` in {root}: {error}. It could be read when "
                            "`validate` ran, so the file has changed since: restore it, or run "
                            "`dvc repro -f ingest` and then `dvc repro`, which put the row into quarantine.") from None
    if read:
        x[list(read)] = part.together(list(read.values()))
    axis = STATISTICS_AXIS[spec.kind]
    whole, sums = (np.uint32, np.int64) if x.dtype == np.uint8 else (np.float64, np.float64)  # exact, too
    exact = np.moveaxis(x, 1 + axis, 1).astype(whole).reshape(len(x), spec.shape[axis], -1)
    if lengths:
        kept = np.minimum(lengths, one.settings.seconds)
        parts = np.stack([kept, np.array(lengths) - kept], axis=1)
    return x, np.stack([exact.sum(2, dtype=sums), np.square(exact).sum(2, dtype=sums)], axis=1), parts, empty
