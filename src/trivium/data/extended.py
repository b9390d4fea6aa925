"""The tensors of old rows and of further ones together, for what goes on with a model: further rows are read with the
tokenizers and statistics that the model has, which saw old train rows alone.

Old rows come first and keep their numbers. The folder looks to a `Store` like that of any project.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from trivium.data import tables, tensors
from trivium.data.arrivals import Places
from trivium.data.arrow_file import Column, Writer
from trivium.data.features import reading
from trivium.data.meta import Meta
from trivium.data.ragged import RaggedColumn, RaggedWriter
from trivium.data.readings import READS, Reads
from trivium.data.rows import Reading, Rows
from trivium.data.store import FEATURES, Store
from trivium.machine.cache import link
from trivium.machine.workers import Map, processes
from trivium.modalities.spec import STORED
from trivium.tasks import Task

PIECE = 512  # rows that are copied at a time


@dataclass(frozen=True)
class _Stream:
    """One stream as the store has it, and the further rows of it."""

    store: Store
    name: str
    rows: Rows

    @property
    def reading(self) -> Reading:
        return reading(self.name, self.store.encoders[self.name])


def write(store: Store, aligned: Path, places: Places, task: Task, out: Path, workers: int | None = None) -> None:
    """Write `data/features`, `data/reads` and `data/splits` below `out` for the recipe of `store`.

    aligned: the further rows.  task: with their classes.  workers: processes, default all cores
    Raises: UserError (a file that cannot be read any more).
    """
    meta = Meta.read(aligned / "meta.json")
    further = tables.read(aligned / "samples.parquet")
    table = _table(store, further, places)
    tables.write(table, out / FEATURES / "samples.parquet")
    tables.write_json({"task": task.plain(), "meta": meta.plain()}, out / FEATURES / "features.json")
    seeds = [name for name in table.column_names if name.startswith("seed_")]
    drawn = table.select(["sample", *seeds]).append_column("group", pa.array(np.concatenate([places.old, places.new])))
    tables.write(drawn, out / "data/splits/splits.parquet")
    mark = tables.digest((aligned / "samples.parquet").read_bytes())
    found = {}
    with processes(workers) as run:
        for s, read in store.reads.streams.items():
            folder = out / FEATURES / read.features
            folder.mkdir(parents=True, exist_ok=True)
            _fill(run, _Stream(store, s, Rows(aligned / "samples.parquet", meta.root, s, len(further))), folder)
            found[s] = read.model_copy(update={"digest": tables.digest(f"{read.digest} {mark}".encode()),
                                               "values": None})
    samples = tables.digest((out / FEATURES / "samples.parquet").read_bytes())
    plain = tables.digest((out / FEATURES / "features.json").read_bytes())
    Reads(samples=samples, task=plain, streams=found).write(out / READS / f"{store.recipe}.json")


def _table(store: Store, further: pa.Table, places: Places) -> pa.Table:
    """`samples.parquet` of all rows: see `data.features`."""
    before = tables.read(store.folder / "samples.parquet")
    has = [f"has_{s}" for s in store.streams]
    seeds = {f"seed_{k}": pa.array(tables.SPLITS).take(pa.array(own)) for k, own in enumerate(places.sides)}
    columns = {"sample": further["sample"], "y": further["y"], **{name: further[name] for name in has}, **seeds}
    for name, blank in (("weight", 1.0), ("domain", None)):
        known = name in further.column_names and further[name].null_count < len(further)
        if name in before.column_names or (known and name == "domain"):
            columns[name] = further[name] if known else pa.array([blank] * len(further))
        if name in columns and name not in before.column_names:
            before = before.append_column(name, pa.nulls(len(before), pa.string()))
    whole = pa.table({name: pa.chunked_array([*before[name].chunks, *_chunks(column)], before[name].type)
                      for name, column in columns.items()})
    return whole


def _chunks(column: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]


def _fill(run: Map, one: _Stream, folder: Path) -> None:
    """`x.arrow` of old and further rows, and what was fitted, as it is."""
    read, spec = one.store.reads.streams[one.name], one.store.specs[one.name]
    names = list(dict.fromkeys(read.columns))
    source = one.store.folder / read.features
    fitted = [source / f"{name}.json" for name in names if (source / f"{name}.json").exists()]
    for file in fitted:
        link(file, folder / file.name)
    if spec.kind == "counts":
        with RaggedWriter(folder / "x.arrow") as ragged:
            for rows in _pieces(len(one.store)):
                ragged.add((own[:, 0], own[:, 1]) for pairs in RaggedColumn(source / "x.arrow").gather(rows)
                           for own in [pairs[pairs[:, 0] > 0]])
            for found in tensors.counted_again(run, one.rows, one.reading):
                ragged.add(found)
        return
    columns = [Column(source / "x.arrow", name) for name in names]
    size = columns[0].gather(np.zeros(1, np.int64)).shape[1]
    with Writer(folder / "x.arrow", names, size, STORED[spec.kind]) as writer:
        for rows in _pieces(len(one.store)):
            writer.add(np.stack([column.gather(rows) for column in columns], 1))
        for x in tensors.again(run, one.rows, one.reading, spec, fitted):
            writer.add(x)


def _pieces(count: int) -> Iterator[np.ndarray]:
    return (np.arange(start, min(start + PIECE, count)) for start in range(0, count, PIECE))
