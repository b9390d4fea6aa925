"""One stream as one processor gives it: a folder with `x.arrow`, tokenizers and `reading.json`.

Legend: `B` samples, `S` seeds, `C` entries along `spec.STATISTICS_AXIS`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trivium import modalities as registry
from trivium.data import cells, tables
from trivium.data.arrow_file import Writer
from trivium.data.ragged import RaggedWriter
from trivium.machine.progress import Progress
from trivium.machine.workers import Map
from trivium.modalities import media
from trivium.modalities.spec import STATISTICS_AXIS, STORED, Spec
from trivium.settings.errors import UserError

AGAIN = 512  # further rows that are read at a time
TEXTS = 1 << 14  # rows of text that are read at a time


@dataclass(frozen=True)
class Reading:
    """One stream as one processor gives it. settings: its `Settings`."""

    stream: str
    modality: str
    processor: str
    settings: Any

    @property
    def folder(self) -> str:
        about = json.dumps([self.modality, self.processor, self.settings.model_dump(mode="json")], sort_keys=True)
        return f"{self.stream}/{tables.digest(about.encode())[:12]}"


class Cut:
    """How much of a stream a processor drops, because it is longer than what the processor keeps.

    unit: what is counted;  setting: of the processor, which keeps more.
    """

    def __init__(self, unit: str, setting: str) -> None:
        self.unit, self.setting = unit, setting
        self.rows = self.cut = 0
        self.kept = self.lost = 0.0

    def add(self, parts: np.ndarray) -> None:
        """parts [B, 2]: what each row keeps and loses."""
        self.rows += len(parts)
        self.cut += int((parts[:, 1] > 1e-3).sum())
        self.kept += float(parts[:, 0].sum())
        self.lost += float(parts[:, 1].sum())

    def plain(self) -> dict[str, Any] | None:
        """`rows`: share of rows that are cut, `lost`: share of all units that are lost, 0-1. Null: nothing counted."""
        if not self.rows:
            return None
        return {"unit": self.unit, "setting": self.setting, "rows": self.cut / self.rows,
                "lost": self.lost / max(self.kept + self.lost, 1e-9)}


def fill(run: Map, rows: Rows, one: Reading, seen: np.ndarray, out: Path) -> None:
    """Write the folder of `one`. seen: bool [S, rows] of what each seed may learn from."""
    part = registry.processor(one.processor)
    spec = replace(part.spec(one.settings), name=one.stream, modality=one.modality)
    make = {"tokens": _tokens, "counts": _counts, "columns": _columns}.get(spec.kind, _tensors)
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
        work = functools.partial(_encode, one, spec, [str(path) for path in fitted])
        yield from (ids for _, (ids, _) in _results(run, work, rows, rows.texts(AGAIN)))
    elif spec.kind == "columns":
        part = registry.processor(one.processor)
        made = [part.load(path.read_text(encoding="utf-8")) for path in fitted]
        for chunk in rows.chunks(AGAIN):
            values = [item[1] for item in chunk]
            yield np.stack([part.encode(values, each, spec) for each in made], 1).reshape(len(chunk), len(made), -1)
    else:
        for _, (x, *_) in _results(run, functools.partial(_decode, one, spec, rows.root), rows, rows.chunks(AGAIN)):
            yield x.reshape(len(x), 1, -1)


def counted_again(run: Map, rows: Rows, one: Reading) -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
    """Ids and counts of the n-grams of further rows, some rows at a time: nothing is fitted."""
    return (found for _, found in _results(run, functools.partial(_count, one), rows, rows.chunks(AGAIN)))


def _hash(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, functools.partial(hashlib.blake2b, digest_size=16)).digest()


@dataclass(frozen=True)
class Rows:
    """The rows of one stream, read a few at a time."""

    path: Path
    root: str
    stream: str
    count: int

    def chunks(self, size: int) -> Iterator[list[tuple]]:
        """At most `size` rows (sample, value or None, start, end, digest or None) at a time, in order."""
        m = self.stream
        columns = ["sample", m, f"{m}_start", f"{m}_end", f"has_{m}"]
        with pq.ParquetFile(self.path, pre_buffer=False) as file:
            known = f"{m}_digest" in file.schema_arrow.names
            for batch in file.iter_batches(size, columns=[*columns, *([f"{m}_digest"] if known else [])]):
                samples, values, starts, ends, has = (batch.column(name).to_pylist() for name in columns)
                values = [value if there else None for value, there in zip(values, has, strict=True)]
                digests = batch.column(f"{m}_digest").to_pylist() if known else [None] * len(batch)
                yield list(zip(samples, values, starts, ends, digests, strict=True))

    def texts(self, size: int) -> Iterator[pa.Array]:
        """The values alone, null where there is none."""
        with pq.ParquetFile(self.path, pre_buffer=False) as file:
            for batch in file.iter_batches(size, columns=[self.stream]):
                yield batch.column(0)


def _tensors(run: Map, rows: Rows, seen: np.ndarray, one: Reading, spec: Spec, out: Path) -> tuple:
    """Decode, write and sum up in one pass. `seen`: bool [S, rows] of what each seed may learn from."""
    size = math.prod(spec.shape)
    entries = spec.shape[STATISTICS_AXIS[spec.kind]]
    sums, cut = np.zeros((len(seen), 2, entries)), Cut("seconds", "seconds")
    work = functools.partial(_decode, one, spec, rows.root)
    with Writer(out / "x.arrow", ["x"], size, STORED[spec.kind]) as writer:
        for row, (x, moments, parts) in _results(run, work, rows, rows.chunks(writer.chunk)):
            writer.add(x.reshape(len(x), 1, size))
            cut.add(parts)
            for k, chosen in enumerate(seen[:, row: row + len(x)]):
                sums[k] += moments[chosen].sum(0)
    counts = seen.sum(1) * (size // entries)
    fixed = getattr(one.settings, "statistics", None)
    statistics = [fixed or _mean_and_deviation(total, n) for total, n in zip(sums, counts, strict=True)]
    return spec, ["x"] * len(seen), statistics, cut


def _tokens(run: Map, rows: Rows, seen: np.ndarray, one: Reading, spec: Spec, out: Path) -> tuple:
    """A tokenizer per seed (one for all when they may learn from the same rows), then one pass that encodes."""
    part = registry.processor(one.processor)
    own = part.fitted(one.settings)
    shared = bool((seen == seen[:1]).all()) or not own
    columns = ["x"] if shared else [f"seed_{k}" for k in range(len(seen))]
    specs, paths = [], []
    words, counts = _all_words(run, rows, seen[: len(columns)]) if own else ([], np.zeros((1, 0), np.int64))
    with Progress(f"preprocess {one.stream}: tokenizers", len(columns), "tokenizer") as progress:
        for column, count in zip(columns, counts, strict=True):
            there = np.flatnonzero(count)
            tokenizer, fitted = part.learned({words[k]: int(count[k]) for k in there}, one.settings)
            specs.append(fitted)
            paths.append(str(out / f"{column}.json"))
            tokenizer.save(paths[-1])
            progress.add()
    spec = replace(spec, vocab=max(each.vocab for each in specs), native=specs[0].native)
    work, cut = functools.partial(_encode, one, spec, paths), Cut("tokens", "length")
    with Writer(out / "x.arrow", columns, math.prod(spec.shape), STORED[spec.kind]) as writer:
        for _, (ids, parts) in _results(run, work, rows, rows.texts(TEXTS)):
            writer.add(ids)
            cut.add(parts)
    return spec, columns * len(seen) if shared else columns, [None] * len(seen), cut


def _all_words(run: Map, rows: Rows, seen: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The words of all texts, and int64 [S, U]: how often each seed sees each. One pass for all seeds, a sum that does
    not depend on who counts what.
    """
    def tasks() -> Iterator[tuple[pa.Array, np.ndarray]]:
        row = 0
        for texts in rows.texts(TEXTS):
            yield texts, seen[:, row: row + len(texts)]
            row += len(texts)

    place, total = dict[str, int](), np.zeros((len(seen), 1 << 10), np.int64)
    with Progress(f"preprocess {rows.stream}: words", rows.count, "row") as progress:
        for (texts, _), (words, counts) in run(_word_counts, tasks()):
            at = np.array([place.setdefault(word, len(place)) for word in words], np.int64)
            while len(place) > total.shape[1]:
                total = np.concatenate([total, np.zeros_like(total)], 1)
            total[:, at] += counts
            progress.add(len(texts))
    return list(place), total[:, : len(place)]


def _word_counts(task: tuple[pa.Array, np.ndarray]) -> tuple[list[str], np.ndarray]:
    """Runs in a worker."""
    from trivium.modalities import prose

    texts, seen = task
    wanted = seen.any(0) & texts.is_valid().to_numpy(zero_copy_only=False)
    return prose.counted(prose.cleaned(texts.filter(pa.array(wanted))), seen[:, wanted])


def _counts(run: Map, rows: Rows, seen: np.ndarray, one: Reading, spec: Spec, out: Path) -> tuple:
    """Counts of n-grams: nothing is fitted, and nothing is cut."""
    with RaggedWriter(out / "x.arrow") as writer:
        for _, found in _results(run, functools.partial(_count, one), rows, rows.chunks(512)):
            writer.add(found)
    return spec, ["x"] * len(seen), [None] * len(seen), Cut("tokens", "length")


def _columns(run: Map, rows: Rows, seen: np.ndarray, one: Reading, spec: Spec, out: Path) -> tuple:
    """What is fitted on each seed's rows, then one pass; nothing is cut."""
    spec, columns, about = cells.fill(rows, seen, one, spec, out)
    return spec, columns, [None] * len(seen), Cut("tokens", "length"), about


def _count(one: Reading, chunk: list[tuple]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Ids and counts of each row. Runs in a worker."""
    return registry.processor(one.processor).counts([item[1] or "" for item in chunk], one.settings)


def _decode(one: Reading, spec: Spec, root: str, chunk: list[tuple]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x [B, *shape]; its sums and sums of squares per row, float64 [B, 2, C]; parts for `Cut`. Runs in a worker."""
    decode = registry.processor(one.processor).decode
    length = getattr(registry.get(one.modality), "length", None)
    x, parts = np.zeros((len(chunk), *spec.shape), STORED[spec.kind]), np.zeros((0, 2))
    lengths = []
    for i, (sample, value, start, end, digest) in enumerate(chunk):
        if value is None:
            continue
        try:
            if digest and not media.is_path(value) and media.digest(value, root) != digest:
                raise ValueError("it has other content than when `ingest` ran")
            x[i] = decode(value, root, start, end, one.settings)
            if length is not None:
                lengths.append(length(value, root, start, end))
        except ValueError as error:
            raise UserError(f"Sample `{sample}`: {spec.name} `{value}` in {root}: {error}. It could be read when "
                            "`validate` ran, so the file has changed since: restore it, or run "
                            "`dvc repro -f ingest` and then `dvc repro`, which put the row into quarantine.") from None
    axis = STATISTICS_AXIS[spec.kind]
    whole, sums = (np.uint32, np.int64) if x.dtype == np.uint8 else (np.float64, np.float64)  # exact, too
    exact = np.moveaxis(x, 1 + axis, 1).astype(whole).reshape(len(x), spec.shape[axis], -1)
    if lengths:
        kept = np.minimum(lengths, one.settings.seconds)
        parts = np.stack([kept, np.array(lengths) - kept], axis=1)
    return x, np.stack([exact.sum(2, dtype=sums), np.square(exact).sum(2, dtype=sums)], axis=1), parts


def _encode(one: Reading, spec: Spec, paths: list[str], values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Token ids [B, tokenizers, T]; parts for `Cut`, of the first tokenizer. Runs in a worker."""
    from trivium.modalities import prose

    there = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
    ids, parts = np.zeros((len(values), len(paths), *spec.shape), STORED[spec.kind]), np.zeros((0, 2))
    if len(there):
        texts = prose.cleaned(values.drop_null())
        for k, path in list(enumerate(paths))[::-1]:
            if spec.native:
                ids[there, k], parts = registry.processor(one.processor).cut(texts.to_pylist(), _tokenizer(path), spec)
            else:
                ids[there, k], parts = _cutter(path, *spec.shape).cut(texts)
    return ids, parts


@functools.cache
def _cutter(path: str, length: int) -> Any:
    from trivium.modalities.prose import Cutter

    return Cutter(_tokenizer(path), length)


@functools.cache
def _tokenizer(path: str) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(path)


def _results(run: Map, work: Callable, rows: Rows, chunks: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """(first row, result) of `work` on each of the `chunks` of `rows`, in order."""
    first = 0
    with Progress(f"preprocess {rows.stream}", rows.count, "row") as progress:
        for chunk, result in run(work, chunks):
            yield first, result
            first += len(chunk)
            progress.add(len(chunk))


def _mean_and_deviation(sums: np.ndarray, count: int) -> dict[str, list[float]]:
    """From sums and sums of squares [2, C] over `count` numbers; a constant entry gets the deviation 1."""
    mean = sums[0] / count
    deviation = np.sqrt(np.maximum(sums[1] / count - mean**2, 0))
    constant = deviation <= 1e-6 * np.maximum(1, np.abs(mean))
    return {"mean": mean.tolist(), "deviation": np.where(constant, 1.0, deviation).tolist()}
