"""Aligned samples -> one Arrow file of fixed-shape tensors per modality, with statistics fitted on train alone.

Rows stream through a pool of processes in chunks, so memory does not grow with the data (but for about 400 bytes a row:
names, labels, splits). The bytes do not depend on the number of processes.

`features.json`: modalities; specs (per modality, see `store.Spec`); columns (per modality and seed, which to read);
statistics (per modality and seed, mean and deviation; tokens have none); settings (per modality, `preprocess`);
classes; sizes (rows per seed and split); meta (of the aligned data). A tokenizer is kept as `<modality>.<column>.json`.

Legend: `B` samples, `S` seeds, `C` entries along `store.STATISTICS_AXIS`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trivium import modalities as registry
from trivium.data import tables
from trivium.data.columns import Writer
from trivium.machine.progress import Progress
from trivium.machine.workers import Map, processes
from trivium.modalities.spec import STATISTICS_AXIS, STORED, Spec
from trivium.settings.errors import UserError

SEEN = ("train", "unlabelled")  # the splits that statistics and tokenizers may see


def write(aligned: str | Path, splits: str | Path, out: str | Path, modalities: Sequence[str],
          settings: Mapping[str, Any], seeds: int, workers: int | None = None) -> None:
    """Fill the folder `out`.

    aligned, splits: folders of those stages;  settings: per modality its `Settings`;  workers: processes, default all
    cores. Raises: UserError (a modality without rows to learn from; a file that cannot be read any more).
    """
    aligned, out = Path(aligned), Path(out)
    meta = tables.read_json(aligned / "meta.json")
    index = _index(aligned, Path(splits), modalities, seeds)
    seen = np.stack([pc.is_in(index[f"seed_{k}"], pa.array(SEEN)).to_numpy() for k in range(seeds)])  # bool [S, rows]
    present = {m: index[f"has_{m}"].to_numpy() for m in modalities}
    for m in modalities:
        _check_rows(m, present[m], index, seeds)
    specs, columns, statistics = {}, {}, {}
    with processes(workers) as run:
        for m in modalities:
            rows = Rows(aligned / "samples.parquet", meta["root"], m, len(index))
            fill = _tokens if registry.get(m).spec(settings[m]).kind == "tokens" else _tensors
            specs[m], columns[m], statistics[m] = fill(run, rows, seen & present[m], settings[m], out)
    tables.write(index, out / "samples.parquet")
    sizes = [dict.fromkeys(tables.SPLITS, 0) | {count["values"]: count["counts"]
             for count in pc.value_counts(index[f"seed_{k}"]).to_pylist()} for k in range(seeds)]
    tables.write_json({
        "modalities": list(modalities), "columns": columns, "statistics": statistics, "sizes": sizes,
        "specs": {m: {key: value for key, value in asdict(spec).items() if key != "name"} for m, spec in specs.items()},
        "settings": {m: settings[m].model_dump() for m in modalities}, "classes": meta["classes"], "meta": meta,
    }, out / "features.json")


@dataclass(frozen=True)
class Rows:
    """The rows of one modality, read a few at a time."""

    path: Path
    root: str
    modality: str
    count: int

    def chunks(self, size: int) -> Iterator[list[tuple]]:
        """At most `size` rows (sample, value or None, start, end) at a time, in order."""
        m = self.modality
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


def _tensors(run: Map, rows: Rows, seen: np.ndarray, settings: Any, out: Path) -> tuple:
    """Decode, write and sum up in one pass. `seen`: bool [S, rows] of what each seed may learn from."""
    spec = registry.get(rows.modality).spec(settings)
    size = math.prod(spec.shape)
    entries = spec.shape[STATISTICS_AXIS[spec.kind]]
    sums = np.zeros((len(seen), 2, entries))
    work = functools.partial(_decode, spec, settings, rows.root)
    with Writer(out / f"{rows.modality}.arrow", ["x"], size, STORED[spec.kind]) as writer:
        for row, (x, moments) in _results(run, work, rows, writer.chunk):
            writer.add(x.reshape(len(x), 1, size))
            for k, chosen in enumerate(seen[:, row: row + len(x)]):
                sums[k] += moments[chosen].sum(0)
    counts = seen.sum(1) * (size // entries)
    return spec, ["x"] * len(seen), [_mean_and_deviation(total, n) for total, n in zip(sums, counts, strict=True)]


def _tokens(run: Map, rows: Rows, seen: np.ndarray, settings: Any, out: Path) -> tuple:
    """A tokenizer per seed (one for all when they may learn from the same rows), then one pass that encodes."""
    m = rows.modality
    shared = bool((seen == seen[:1]).all())
    columns = ["x"] if shared else [f"seed_{k}" for k in range(len(seen))]
    specs, paths = [], []
    with Progress(f"preprocess {m}: tokenizers", len(columns), "tokenizer") as progress:
        for column, chosen in zip(columns, seen, strict=False):
            tokenizer, spec = registry.get(m).fit(Texts(rows, chosen), settings)
            specs.append(spec)
            paths.append(str(out / f"{m}.{column}.json"))
            tokenizer.save(paths[-1])
            progress.add()
    spec = replace(specs[0], vocab=max(spec.vocab for spec in specs))
    work = functools.partial(_encode, spec, paths)
    with Writer(out / f"{m}.arrow", columns, math.prod(spec.shape), STORED[spec.kind]) as writer:
        for _, ids in _results(run, work, rows, writer.chunk):
            writer.add(ids)
    return spec, columns * len(seen) if shared else columns, [None] * len(seen)


def _decode(spec: Spec, settings: Any, root: str, chunk: list[tuple]) -> tuple[np.ndarray, np.ndarray]:
    """x [B, *shape], and its sums and sums of squares per row, float64 [B, 2, C]. Runs in a worker."""
    decode = registry.get(spec.name).decode
    x = np.zeros((len(chunk), *spec.shape), STORED[spec.kind])
    for i, (sample, value, start, end) in enumerate(chunk):
        if value is None:
            continue
        try:
            x[i] = decode(value, root, start, end, settings)
        except ValueError as error:
            raise UserError(f"Sample `{sample}`: {spec.name} `{value}` in {root}: {error}. It could be read when "
                            "`validate` ran, so the file has changed since: restore it, or run "
                            "`dvc repro -f ingest` and then `dvc repro`, which put the row into quarantine.") from None
    axis = STATISTICS_AXIS[spec.kind]
    exact = np.moveaxis(x, 1 + axis, 1).astype(np.float64).reshape(len(x), spec.shape[axis], -1)
    return x, np.stack([exact.sum(2), np.square(exact).sum(2)], axis=1)


def _encode(spec: Spec, paths: list[str], chunk: list[tuple]) -> np.ndarray:
    """Token ids [B, tokenizers, T]. Runs in a worker."""
    there = [i for i, item in enumerate(chunk) if item[1] is not None]
    ids = np.zeros((len(chunk), len(paths), *spec.shape), STORED[spec.kind])
    if there:
        texts = [chunk[i][1] for i in there]
        for k, path in enumerate(paths):
            ids[there, k] = registry.get(spec.name).encode(texts, _tokenizer(path), spec)
    return ids


@functools.cache
def _tokenizer(path: str) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(path)


def _results(run: Map, work: Callable, rows: Rows, size: int) -> Iterator[tuple[int, Any]]:
    """(first row, result) of `work` on chunks of at most `size` rows, in order."""
    first = 0
    with Progress(f"preprocess {rows.modality}", rows.count, "row") as progress:
        for chunk, result in run(work, rows.chunks(size)):
            yield first, result
            first += len(chunk)
            progress.add(len(chunk))


def _index(aligned: Path, splits: Path, modalities: Sequence[str], seeds: int) -> pa.Table:
    """sample, y, has_m, seed_k, and domain where the data knows it: what is known of every row."""
    path = aligned / "samples.parquet"
    index = pq.read_table(path, columns=["sample", "y", *(f"has_{m}" for m in modalities)])
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
