"""New rows whose streams have tables of their own: joined on the clock by the code that joined those of training.

The tables are beside the new manifest, where those of params.yaml are beside that of training. All goes through ingest,
the rules of validate for single rows, and align; what is answered are their samples, in the order of the manifest.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trivium.data import tables
from trivium.data.settings import Align, Data, Manifest, Stream, Validate
from trivium.runtime.answering import BATCH
from trivium.runtime.reading import Samples
from trivium.serving.export.smoke import raw
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

    from trivium.runtime.answering import Answering

CLOCK = Path("data/aligned/clock.json")


@dataclass(frozen=True)
class Joined:
    """rows: of `samples.parquet`, in the order of the manifest, None of what is no sample, or meets nothing
    names: of each;  why: of those that are None, by name;  streams: those that are answered
    """

    names: list[str]
    rows: list[int | None]
    table: pa.Table
    streams: Mapping[str, str]
    why: Mapping[str, str]

    def count(self) -> float:
        return float(len(self.names))

    def samples(self) -> Iterator[Samples]:
        for start in range(0, len(self.names), BATCH):
            here = self.rows[start: start + BATCH]
            met = iter(self.table.take(np.array([row for row in here if row is not None], np.int64)).to_pylist())
            yield [{"id": name, **({} if row is None else raw(next(met), self.streams))}
                   for name, row in zip(self.names[start: start + BATCH], here, strict=True)]


def tabled(root: Path) -> bool:
    """Whether any stream of params.yaml has a table of its own."""
    streams = (tables.read_yaml(root / "params.yaml").get("data") or {}).get("streams") or {}
    return any(isinstance(one, Mapping) and one.get("table") for one in streams.values())


def join(root: Path, manifest: Path, answering: Answering, scratch: Path) -> tuple[Joined, Path]:
    """The samples of `manifest`, and what their paths are relative to. scratch: an empty folder

    Raises: UserError (a table cannot be read or joined; an id that comes twice).
    """
    from trivium.data import judged
    from trivium.data.frames import load
    from trivium.data.meta import Meta
    from trivium.data.sources import manifest as source

    params = tables.read_yaml(root / "params.yaml")
    data, align = Data.model_validate(params["data"]), Align.model_validate(params["align"])
    streams = _beside(manifest, data, answering)
    bare = {what: "" for what in ("group", "split", "language", "domain", "weight", "unlabelled")}
    settings = data.manifest.model_copy(update={"path": str(manifest), **bare})
    new, valid, aligned = (scratch / stage for stage in ("raw", "valid", "aligned"))
    for folder in (new, valid, aligned):
        folder.mkdir()
    kinds = {s: one.modality for s, one in streams.items()}
    with contextlib.redirect_stdout(sys.stderr):  # answers may go to the terminal
        source.write(new, settings, data.seed, streams, None)
        meta = Meta.read(new / "meta.json")
        meta = meta.model_copy(update={"task": answering.task.plain(), "streams": kinds})
        seen = judged.Streams(*load(new, kinds))
        seen.judge(kinds, meta, Validate.model_validate(params["validate"]))
        _tell(seen)
        seen.write(valid)
        names = _labels(new, valid, manifest, settings, root)
        meta.write(valid / "meta.json")
        _align(valid, aligned, kinds, _settled(root, align, kinds))
    return _ordered(aligned, names, answering, kinds), Path(meta.root)


def _beside(manifest: Path, data: Data, answering: Answering) -> dict[str, Stream]:
    """The streams of the answer, each with its table beside the new manifest; without those that have none there."""
    found, lost = dict[str, Stream](), list[str]()
    for s, stream in data.streams.items():
        if s not in answering.streams:
            continue
        if not stream.table:
            found[s] = stream
            continue
        own = Path(stream.table.path)
        there = manifest.parent / os.path.relpath(own, Path(data.manifest.path).parent)
        there = there if there.is_file() else manifest.parent / own.name
        if there.is_file():
            found[s] = stream.model_copy(update={"table": stream.table.model_copy(update={"path": str(there)})})
        else:
            lost.append(f"{s} ({there})")
    apart = [s for s, one in found.items() if one.table]
    if not apart:
        raise UserError(f"The streams of this data have tables of their own, and beside {manifest} there is none: put "
                        f"the new ones there, under the names that params.yaml has: {', '.join(lost)}.")
    if lost:
        print(f"note: there is no table of {' and none of '.join(lost)}: all rows are answered without.",
              file=sys.stderr)
    return found


def _tell(seen: Any) -> None:
    """What of the streams' tables cannot be used."""
    for s, rows in seen.rows.items():
        if rows.out:
            row = min(rows.out)
            print(f"note: {len(rows.out):,} of {rows.num_rows:,} rows of {s} cannot be used; the first, row {row + 1}: "
                  f"{rows.out[row]}.")


def _labels(new: Path, valid: Path, manifest: Path, settings: Manifest, root: Path) -> list[str]:
    """Write those of `valid`: all rows, for each is to be answered. Returns their ids."""
    import pyarrow as pa

    labels, known = tables.read(new / "labels.parquet"), root / "data/valid/labels.parquet"
    if "clock" not in labels.column_names and known.exists() and "clock" in tables.names(known):
        raise UserError(f"{manifest} does not say when its rows are, and those of training did: it needs the column "
                        f"`{settings.time}`, or `{settings.start}` and `{settings.end}`, as they had.")
    names = labels["sample"].to_pylist()
    first: dict[str | None, int] = {}
    for row, name in enumerate(names):
        if name is None or first.setdefault(name, row) != row:
            why = "has no id" if name is None else f"has the id `{name}`, as row {first[name] + 1} has"
            raise UserError(f"{manifest}: row {row + 1} {why}: give each row one of its own, so that its answer can "
                            "be told.")
    labels = labels.append_column("duplicate_group", pa.nulls(len(labels), pa.string()))
    tables.write(labels, valid / "labels.parquet")
    return names


def _settled(root: Path, align: Align, kinds: Mapping[str, str]) -> Align:
    """For these streams alone; an offset that is to be estimated is the one that training found."""
    from trivium.data.timeline import Timeline

    known = Timeline.read(root / CLOCK).streams if (root / CLOCK).exists() else {}
    trained = {s: known[s].offset for s, value in align.offset.items()
               if s in kinds and value == "estimated" and s in known}
    for s, seconds in trained.items():
        print(f"note: {seconds:+.3f} s are added to the times of {s}, as for training, where that was estimated. What "
              "the new rows themselves show is printed below, and not applied.", file=sys.stderr)
    given = {s: value for s, value in align.offset.items() if s in kinds}
    return align.model_copy(update={"offset": given | trained})


def _align(valid: Path, aligned: Path, kinds: Mapping[str, str], settings: Align) -> None:
    from trivium.data.alignment import align

    align(valid, aligned, kinds, settings, whole=True)


def _ordered(aligned: Path, ids: list[str], answering: Answering, kinds: Mapping[str, str]) -> Joined:
    """In the order of the rows of the manifest, and of the ticks of each."""
    import pyarrow as pa

    table = tables.read(aligned / "samples.parquet")
    for s in answering.streams.keys() - kinds.keys():
        table = table.append_column(f"has_{s}", pa.array([False] * len(table)))
    lost = tables.read(aligned / "unaligned.parquet").to_pylist()
    why = {one["sample"]: one["reason"] for one in lost if one["table"] == "labels"}
    row_of = {name: row for row, name in enumerate(table["sample"].to_pylist())}
    names = [*row_of, *why]
    place = {name: row for row, name in enumerate(ids)}

    def when(name: str) -> tuple[int, float]:
        if name in place:
            return place[name], 0.0
        own, _, tick = name.rpartition("@")
        return place[own], float(tick)

    names.sort(key=when)
    return Joined(names, [row_of.get(name) for name in names], table, answering.streams, why)
