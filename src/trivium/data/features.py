"""Aligned samples -> fixed-shape tensors per stream and processor, with statistics fitted on train alone.

Rows stream through a pool of processes in chunks, so memory does not grow with the data (but for about 400 bytes a row:
names, labels, splits). The bytes do not depend on the number of processes.

data/features
    features.json      classes; sizes (rows per seed and split); meta (of the aligned data)
    samples.parquet    sample, y, has_STREAM, seed_K, and domain where the data knows it
    STREAM/DIGEST/     one folder for each processor that reads the stream: `x.arrow`, tokenizers, and `reading.json`
                       (spec; columns and statistics per seed; lengths: see `Lengths`)
data/reads/RECIPE.json: see `readings`.

Tensors are kept by content in `.cache` as well, since DVC empties a stage's outs before it runs: what no change touches
is linked from there.

Legend: `B` samples, `S` seeds, `C` entries along `spec.STATISTICS_AXIS`.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trivium import modalities as registry
from trivium.data import tables
from trivium.data.columns import Writer
from trivium.data.readings import Read, Reads
from trivium.encoders import Described
from trivium.machine.cache import Cache
from trivium.machine.progress import Progress
from trivium.machine.workers import Map, processes
from trivium.modalities.spec import STATISTICS_AXIS, STORED, Spec
from trivium.settings.errors import UserError

SEEN = ("train", "unlabelled")  # the splits that statistics and tokenizers may see
CODE = ("features.py", "columns.py", "../modalities")  # what tensors depend on, besides data and settings


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


def write(aligned: str | Path, splits: str | Path, out: str | Path, reads: str | Path,
          recipes: Mapping[str, Mapping[str, str]], encoders: Mapping[str, Described], seeds: int,
          workers: int | None = None, cache: Cache | None = None) -> None:
    """Fill the folders `out` and `reads`.

    aligned, splits: folders of those stages;  recipes: per recipe, stream -> entry of `encoders`, in order
    workers: processes, default all cores
    Raises: UserError (a stream without rows to learn from; a file that cannot be read any more).
    """
    aligned, out, reads = Path(aligned), Path(out), Path(reads)
    cache = cache or Cache(Path(".cache/features"))
    meta = tables.read_json(aligned / "meta.json")
    streams = list(dict.fromkeys(s for recipe in recipes.values() for s in recipe))
    index = _index(aligned, Path(splits), streams, seeds)
    seen = np.stack([pc.is_in(index[f"seed_{k}"], pa.array(SEEN)).to_numpy() for k in range(seeds)])  # bool [S, rows]
    present = {s: index[f"has_{s}"].to_numpy() for s in streams}
    for s in streams:
        _check_rows(s, present[s], index, seeds)
    readings = {(s, entry): reading(s, encoders[entry]) for recipe in recipes.values() for s, entry in recipe.items()}
    data = _digest(index, aligned)
    with processes(workers) as run:
        for one in {each.folder: each for each in readings.values()}.values():
            key = tables.digest(json.dumps([data[one.stream], one.folder, _code()]).encode())
            if not cache.take(key, out / one.folder):
                with cache.making(key) as folder:
                    rows = Rows(aligned / "samples.parquet", meta["root"], one.stream, len(index))
                    _fill(run, rows, one, seen & present[one.stream], folder)
                cache.take(key, out / one.folder)
    cache.keep()
    tables.write(index, out / "samples.parquet")
    sizes = [dict.fromkeys(tables.SPLITS, 0) | {count["values"]: count["counts"]
             for count in pc.value_counts(index[f"seed_{k}"]).to_pylist()} for k in range(seeds)]
    tables.write_json({"classes": meta["classes"], "sizes": sizes, "meta": meta}, out / "features.json")
    samples = tables.digest((out / "samples.parquet").read_bytes() + json.dumps(meta, sort_keys=True).encode())
    for name, recipe in recipes.items():
        found = {s: _read(readings[s, entry], entry, encoders[entry], out, seeds) for s, entry in recipe.items()}
        tables.write_json(Reads(samples=samples, streams=found).model_dump(mode="json"), reads / f"{name}.json")


def reading(stream: str, described: Described) -> Reading:
    """What the encoder `described` reads of `stream`."""
    name, settings = described.processor
    return Reading(stream, described.modality, name, registry.processor(name).Settings.model_validate(settings))


def _read(one: Reading, entry: str, described: Described, out: Path, seeds: int) -> Read:
    about = tables.read_json(out / one.folder / "reading.json")
    return Read(entry=entry, encoder=described.plain(), features=one.folder,
                **{key: about[key] for key in ("spec", "digest", "columns", "statistics")})


def _digest(index: pa.Table, aligned: Path) -> dict[str, str]:
    """Stream -> digest of its values and of who may learn from which."""
    drawn = [name for name in index.column_names if name.startswith("seed_")]
    found = {}
    names = pq.read_schema(aligned / "samples.parquet").names
    root = str(tables.read_json(aligned / "meta.json")["root"])
    for s in (name.removeprefix("has_") for name in index.column_names if name.startswith("has_")):
        own = [name for name in (s, f"{s}_start", f"{s}_end", f"{s}_digest") if name in names]
        table = pq.read_table(aligned / "samples.parquet", columns=own)
        for name in ("sample", f"has_{s}", *drawn):
            table = table.append_column(name, index[name].combine_chunks())
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema.remove_metadata()) as stream:
            stream.write_table(table.combine_chunks().replace_schema_metadata(None))
        found[s] = tables.digest(root.encode() + sink.getvalue().to_pybytes())
    return found


@functools.cache
def _code() -> str:
    """Digest of the code that makes tensors."""
    here = Path(__file__).parent
    files = sorted(file for part in CODE for file in ([here / part] if (here / part).is_file()
                                                      else (here / part).rglob("*.py")))
    return tables.digest(b"".join(file.read_bytes() for file in files))


def _fill(run: Map, rows: Rows, one: Reading, seen: np.ndarray, out: Path) -> None:
    """Write the folder of `one`. seen: bool [S, rows] of what each seed may learn from."""
    part = registry.processor(one.processor)
    spec = replace(part.spec(one.settings), name=one.stream, modality=one.modality)
    fill = _tokens if spec.kind == "tokens" else _tensors
    spec, columns, statistics = fill(run, rows, seen, one, spec, out)
    files = sorted(file for file in out.iterdir())
    content = b"".join(file.name.encode() + _hash(file) for file in files)
    tables.write_json({"spec": spec.plain(), "columns": columns, "statistics": statistics,
                       "digest": tables.digest(content + json.dumps(statistics).encode())}, out / "reading.json")


def _hash(file: Path) -> bytes:
    import hashlib

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
        """At most `size` rows (sample, value or None, start, end) at a time, in order."""
        m = self.stream
        columns = ["sample", m, f"{m}_start", f"{m}_end", f"has_{m}"]
        for batch in pq.ParquetFile(self.path).iter_batches(size, columns=columns):
            samples, values, starts, ends, has = (batch.column(name).to_pylist() for name in columns)
            values = [value if there else None for value, there in zip(values, has, strict=True)]
            yield list(zip(samples, values, starts, ends, strict=True))


@dataclass(frozen=True)
class Texts:
    """The values of the rows in `chosen` (bool [rows]); may be iterated more than once."""

    rows: Rows
    chosen: np.ndarray

    def __iter__(self) -> Iterator[str]:
        row = 0
        for chunk in self.rows.chunks(4096):
            here = self.chosen[row: row + len(chunk)]
            yield from (item[1] for item, wanted in zip(chunk, here, strict=True) if wanted)
            row += len(chunk)


def _tensors(run: Map, rows: Rows, seen: np.ndarray, one: Reading, spec: Spec, out: Path) -> tuple:
    """Decode, write and sum up in one pass. `seen`: bool [S, rows] of what each seed may learn from."""
    size = math.prod(spec.shape)
    entries = spec.shape[STATISTICS_AXIS[spec.kind]]
    sums = np.zeros((len(seen), 2, entries))
    work = functools.partial(_decode, one, spec, rows.root)
    with Writer(out / "x.arrow", ["x"], size, STORED[spec.kind]) as writer:
        for row, (x, moments) in _results(run, work, rows, writer.chunk):
            writer.add(x.reshape(len(x), 1, size))
            for k, chosen in enumerate(seen[:, row: row + len(x)]):
                sums[k] += moments[chosen].sum(0)
    counts = seen.sum(1) * (size // entries)
    return spec, ["x"] * len(seen), [_mean_and_deviation(total, n) for total, n in zip(sums, counts, strict=True)]


def _tokens(run: Map, rows: Rows, seen: np.ndarray, one: Reading, spec: Spec, out: Path) -> tuple:
    """A tokenizer per seed (one for all when they may learn from the same rows), then one pass that encodes."""
    part = registry.processor(one.processor)
    shared = bool((seen == seen[:1]).all()) or not part.fitted(one.settings)
    columns = ["x"] if shared else [f"seed_{k}" for k in range(len(seen))]
    specs, paths = [], []
    with Progress(f"preprocess {one.stream}: tokenizers", len(columns), "tokenizer") as progress:
        for column, chosen in zip(columns, seen, strict=False):
            tokenizer, fitted = part.fit(Texts(rows, chosen), one.settings)
            specs.append(fitted)
            paths.append(str(out / f"{column}.json"))
            tokenizer.save(paths[-1])
            progress.add()
    spec = replace(spec, vocab=max(each.vocab for each in specs), native=specs[0].native)
    work = functools.partial(_encode, one, spec, paths)
    with Writer(out / "x.arrow", columns, math.prod(spec.shape), STORED[spec.kind]) as writer:
        for _, ids in _results(run, work, rows, writer.chunk):
            writer.add(ids)
    return spec, columns * len(seen) if shared else columns, [None] * len(seen)


def _decode(one: Reading, spec: Spec, root: str, chunk: list[tuple]) -> tuple[np.ndarray, np.ndarray]:
    """x [B, *shape], and its sums and sums of squares per row, float64 [B, 2, C]. Runs in a worker."""
    decode = registry.processor(one.processor).decode
    x = np.zeros((len(chunk), *spec.shape), STORED[spec.kind])
    for i, (sample, value, start, end) in enumerate(chunk):
        if value is None:
            continue
        try:
            x[i] = decode(value, root, start, end, one.settings)
        except ValueError as error:
            raise UserError(f"Sample `{sample}`: {spec.name} `{value}` in {root}: {error}. It could be read when "
                            "`validate` ran, so the file has changed since: restore it, or run "
                            "`dvc repro -f ingest` and then `dvc repro`, which put the row into quarantine.") from None
    axis = STATISTICS_AXIS[spec.kind]
    exact = np.moveaxis(x, 1 + axis, 1).astype(np.float64).reshape(len(x), spec.shape[axis], -1)
    return x, np.stack([exact.sum(2), np.square(exact).sum(2)], axis=1)


def _encode(one: Reading, spec: Spec, paths: list[str], chunk: list[tuple]) -> np.ndarray:
    """Token ids [B, tokenizers, T]. Runs in a worker."""
    there = [i for i, item in enumerate(chunk) if item[1] is not None]
    ids = np.zeros((len(chunk), len(paths), *spec.shape), STORED[spec.kind])
    if there:
        texts = [chunk[i][1] for i in there]
        for k, path in enumerate(paths):
            ids[there, k] = registry.processor(one.processor).encode(texts, _tokenizer(path), spec)
    return ids


@functools.cache
def _tokenizer(path: str) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(path)


def _results(run: Map, work: Callable, rows: Rows, size: int) -> Iterator[tuple[int, Any]]:
    """(first row, result) of `work` on chunks of at most `size` rows, in order."""
    first = 0
    with Progress(f"preprocess {rows.stream}", rows.count, "row") as progress:
        for chunk, result in run(work, rows.chunks(size)):
            yield first, result
            first += len(chunk)
            progress.add(len(chunk))


def _index(aligned: Path, splits: Path, streams: Sequence[str], seeds: int) -> pa.Table:
    """sample, y, has_STREAM, seed_K, and domain where the data knows it: what is known of every row."""
    path = aligned / "samples.parquet"
    index = pq.read_table(path, columns=["sample", "y", *(f"has_{s}" for s in streams)])
    drawn = tables.read(splits / "splits.parquet")
    if not drawn["sample"].equals(index["sample"]):
        place = pc.index_in(index["sample"], drawn["sample"])
        if place.null_count or len(drawn) != len(index):
            raise UserError(f"{splits / 'splits.parquet'} and {path} do not have the same samples: run "
                            "`dvc repro split`.")
        drawn = drawn.take(place)
    for k in range(seeds):
        index = index.append_column(f"seed_{k}", drawn[f"seed_{k}"])
    if "domain" in pq.read_schema(path).names:
        domain = pq.read_table(path, columns=["domain"])["domain"]
        if domain.null_count < len(domain):
            index = index.append_column("domain", domain)
    return index


def _check_rows(m: str, present: np.ndarray, index: pa.Table, seeds: int) -> None:
    """Every seed needs a labelled row of `m` to learn from, and one to choose the best weights by.

    `present`: bool [rows]
    """
    for split in ("train", "val"):
        poor = [k for k in range(seeds) if not present[pc.equal(index[f"seed_{k}"], split).to_numpy()].any()]
        if poor:
            of = "any seed" if len(poor) == seeds else f"seed {', '.join(map(str, poor))}"
            raise UserError(f"No {m} is present in any {split} row of {of}. Remove `{m}` from data.modalities in "
                            f"params.yaml, or bring more rows that have {m}.")


def _mean_and_deviation(sums: np.ndarray, count: int) -> dict[str, list[float]]:
    """From sums and sums of squares [2, C] over `count` numbers; a constant entry gets the deviation 1."""
    mean = sums[0] / count
    deviation = np.sqrt(np.maximum(sums[1] / count - mean**2, 0))
    constant = deviation <= 1e-6 * np.maximum(1, np.abs(mean))
    return {"mean": mean.tolist(), "deviation": np.where(constant, 1.0, deviation).tolist()}
