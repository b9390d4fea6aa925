"""Aligned samples -> fixed-shape tensors per stream and processor, with statistics fitted on train alone.

Rows stream through a pool of processes in chunks, so memory does not grow with the data (but for about 400 bytes a row:
names, labels, splits). The bytes do not depend on the number of processes.

data/features
    features.json      task; sizes (rows per seed and split); meta (of the aligned data); of each stream of tables,
                       under `tables`, its `columns` (see `table.about`) and those that are `telling`
    samples.parquet    sample, y, has_STREAM, seed_K, and weight and domain where the data knows them
    STREAM/DIGEST/     one folder for each processor that reads the stream: `x.arrow`, tokenizers, and `reading.json`
                       (spec; columns and statistics per seed; cut: see `tensors.Cut`)
    STREAM/values.parquet   of text, what the processors read: see `texts`
data/reads/RECIPE.json: see `readings`.

Tensors are kept by content in `.cache` as well, since DVC empties a stage's outs before it runs: what no change touches
is linked from there.

Legend: `B` samples, `S` seeds, `C` entries along `spec.STATISTICS_AXIS`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trivium import modalities as registry
from trivium import tasks
from trivium.data import tables, telling, texts, unlabelled
from trivium.data.meta import Meta
from trivium.data.readings import Read, Reads
from trivium.data.rows import Reading, Rows
from trivium.data.tensors import fill
from trivium.encoders import Described
from trivium.machine.cache import Cache
from trivium.machine.engines.spread import far, spread
from trivium.machine.workers import processes
from trivium.modalities import media
from trivium.settings.errors import UserError

SEEN = ("train", "unlabelled")  # the splits that statistics and tokenizers may see
PIECE = 1 << 16  # rows that are hashed at a time
# what tensors depend on, besides data and settings
CODE = ("tensors.py", "texts.py", "arrow_file.py", "ragged.py", "cells.py", "../modalities")


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
    meta = Meta.read(aligned / "meta.json")
    streams = list(dict.fromkeys(s for recipe in recipes.values() for s in recipe))
    index = _index(aligned, Path(splits), streams, seeds)
    seen = np.stack([pc.is_in(index[f"seed_{k}"], pa.array(SEEN)).to_numpy() for k in range(seeds)])  # bool [S, rows]
    present = {s: index[f"has_{s}"].to_numpy() for s in streams}
    for s in streams:
        _check_rows(s, present[s], index, seeds)
    readings = {(s, entry): reading(s, encoders[entry]) for recipe in recipes.values() for s, entry in recipe.items()}
    data, root = _digest(index, aligned), _seen(meta.root)
    pa.default_memory_pool().release_unused()  # of ten million rows, as much as all that is still needed
    with processes(workers, clean=far()) as run:
        decoding = spread(run, functools.partial(_files, root))
        missing = dict[str, dict[str, Reading]]()  # of each stream, by their keys
        for one in {each.folder: each for each in readings.values()}.values():
            key = tables.digest(json.dumps([data[one.stream], one.folder, _code()]).encode())
            if not cache.take(key, out / one.folder):
                missing.setdefault(one.stream, {})[key] = one
        for s, several in missing.items():
            rows = Rows(aligned / "samples.parquet", root, s, len(index))
            written = registry.is_written(next(iter(several.values())).modality)
            for part in ([{key: one} for key, one in several.items()] if written else [several]):
                with ExitStack() as made:
                    folders = {made.enter_context(cache.making(key)): one for key, one in part.items()}
                    fill(run if written else decoding, rows, folders, seen & present[s])
                for key, one in part.items():
                    cache.take(key, out / one.folder)
    values = {one.stream: _values(one, aligned, meta.root, len(index), data[one.stream], out, cache)
              for one in {each.stream: each for each in readings.values()}.values()}
    cache.keep()
    tables.write(index, out / "samples.parquet")
    pa.default_memory_pool().release_unused()
    sizes = [dict.fromkeys(tables.SPLITS, 0) | {count["values"]: count["counts"]
             for count in pc.value_counts(index[f"seed_{k}"]).to_pylist()} for k in range(seeds)]
    facts = {one.stream: _table(one, index, present[one.stream], meta.task or {}, out) for one in readings.values()
             if one.modality == "table"}
    tables.write_json({"task": meta.task, "sizes": sizes, "meta": meta.plain()} | ({"tables": facts} if facts else {}),
                      out / "features.json")
    about, task = (json.dumps(one, sort_keys=True).encode() for one in (
        {key: value for key, value in meta.plain().items() if key != "task"}, meta.task))
    samples = tables.digest((out / "samples.parquet").read_bytes() + about)
    for name, recipe in recipes.items():
        found = {s: _read(readings[s, entry], entry, encoders[entry], out, values[s]) for s, entry in recipe.items()}
        Reads(samples=samples, task=tables.digest(task), streams=found).write(reads / f"{name}.json")


def _seen(root: str) -> str:
    """The folder that media are seen from. Nodes of a cluster have no place for what is outside of the project, and
    look for it where it is here.
    """
    there = os.path.normpath(root)
    return os.path.abspath(there) if there.startswith("..") and far() else root


def _files(root: str, chunk: list[tuple]) -> list[Path]:
    """What a chunk of `Rows` reads."""
    paths = {media.on_disk(value) for _, value, *_ in chunk if value is not None} - {""}
    return [Path(os.path.normpath(os.path.join(root, path))) for path in paths]


def reading(stream: str, described: Described) -> Reading:
    """What the encoder `described` reads of `stream`."""
    name, settings = described.processor
    return Reading(stream, described.modality, name, registry.processor(name).Settings.model_validate(settings))


def _values(one: Reading, aligned: Path, root: str, count: int, data: str, out: Path, cache: Cache) -> str | None:
    """Keep the cleaned texts of a stream of text beside its tensors. Returns their digest.

    data: digest of what the stream is made of.
    """
    if not registry.is_prose(one.modality):
        return None
    from trivium.modalities.prose import cleaned

    key = tables.digest(json.dumps([data, one.modality, "values", _code()]).encode())
    if not cache.take(key, out / one.stream):
        with cache.making(key) as folder:
            rows = Rows(aligned / "samples.parquet", root, one.stream, count)
            texts.write(map(cleaned, rows.texts(texts.ROWS)), folder / "values.parquet")
        cache.take(key, out / one.stream)
    return texts.digest(out / one.stream / "values.parquet")


def _read(one: Reading, entry: str, described: Described, out: Path, values: str | None) -> Read:
    about = tables.read_json(out / one.folder / "reading.json")
    return Read(entry=entry, encoder=described.plain(), features=one.folder, values=values,
                **{key: about[key] for key in ("spec", "digest", "columns", "statistics", "cut")})


def _table(one: Reading, index: pa.Table, present: np.ndarray, task: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """What the columns of a stream are, and which of them hold the answer, by the first seed's rows."""
    about = tables.read_json(out / one.folder / "reading.json")
    told, own = list[dict[str, Any]](), tasks.of(task)
    if own.categorical or not own.categories:
        y = unlabelled.numbers(own, index["y"])
        train, val = (np.flatnonzero(pc.equal(index["seed_0"], split).to_numpy() & present) for split in
                      ("train", "val"))
        parts = [(column, codes) for column, codes in about["spec"]["columns"]]
        told = telling.columns(out / one.folder / "x.arrow", about["columns"][0], parts, train, val,
                               y if own.categorical else y[:, 0].astype(np.float64))
    return {"columns": about["table"], "telling": told}


def _digest(index: pa.Table, aligned: Path) -> dict[str, str]:
    """Stream -> digest of its values and of who may learn from which."""
    path, root = aligned / "samples.parquet", Meta.read(aligned / "meta.json").root
    drawn = [name for name in index.column_names if name.startswith("seed_")]
    found = {}
    for s in (name.removeprefix("has_") for name in index.column_names if name.startswith("has_")):
        hashed = hashlib.blake2b(root.encode(), digest_size=16)
        with pq.ParquetFile(path, pre_buffer=False) as file:
            own = [name for name in (s, f"{s}_start", f"{s}_end", f"{s}_digest") if name in file.schema_arrow.names]
            row = 0
            for batch in file.iter_batches(PIECE, columns=own):
                both = index.select(["sample", f"has_{s}", *drawn]).slice(row, len(batch)).combine_chunks()
                row += len(batch)
                for part in (batch, *both.to_batches()):
                    hashed.update(part.serialize())
        found[s] = hashed.hexdigest()
    return found


@functools.cache
def _code() -> str:
    """Digest of the code that makes tensors."""
    here = Path(__file__).parent
    files = sorted(file for part in CODE for file in ([here / part] if (here / part).is_file()
                                                      else (here / part).rglob("*.py")))
    return tables.digest(b"".join(file.read_bytes() for file in files))


def _index(aligned: Path, splits: Path, streams: Sequence[str], seeds: int) -> pa.Table:
    """sample, y, has_STREAM, seed_K, and weight and domain where the data knows them: what is known of every row."""
    path = aligned / "samples.parquet"
    weight = ["weight"] if "weight" in pq.read_schema(path).names else []
    index = pq.read_table(path, columns=["sample", "y", *weight, *(f"has_{s}" for s in streams)])
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


def _check_rows(s: str, present: np.ndarray, index: pa.Table, seeds: int) -> None:
    """Every seed needs a labelled row of `s` to learn from, and one to choose the best weights by.

    `present`: bool [rows]
    """
    for split in ("train", "val"):
        poor = [k for k in range(seeds) if not present[pc.equal(index[f"seed_{k}"], split).to_numpy()].any()]
        if poor:
            of = "any seed" if len(poor) == seeds else f"seed {', '.join(map(str, poor))}"
            raise UserError(f"No {s} is present in any {split} row of {of}. Take `{s}` out of data.streams in "
                            f"params.yaml, or bring more rows that have {s}.")
