"""Which values of the samples are the same, and, when asked, nearly the same, in whatever streams of a modality.

A placeholder is nobody's twin, and neither is a cell of a table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data import tables
from trivium.data.alike import near, text
from trivium.data.linked_rows import NULL, codes, connected, numbered
from trivium.data.meta import Meta
from trivium.data.placeholders import Common
from trivium.data.probe import CHUNK, Task, measured
from trivium.data.timeline import Timeline
from trivium.machine.progress import Progress
from trivium.modalities import is_prose, is_written

if TYPE_CHECKING:
    from trivium.data.settings import Near


@dataclass(frozen=True)
class Parts:
    """Per value: file, int64;  start, end: float64 seconds in it, infinite where it begins or ends there."""

    file: np.ndarray
    start: np.ndarray
    end: np.ndarray


@dataclass(frozen=True)
class Twins:
    """Of one modality, an entry per value. rows: of all samples.  row, stream: whose it is, int64;  code: int64, the
    same for twins, negative for a placeholder;  parts: of which file each is, and when, None where all are whole;
    near: int64 [P, 2], places of two values that are nearly the same.
    """

    rows: int
    names: Sequence[str]
    row: np.ndarray
    stream: np.ndarray
    code: np.ndarray
    parts: Parts | None = None
    near: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int64))

    def by_row(self) -> np.ndarray:
        """int64 [rows, streams]: the codes, negative where there is none; as `components` takes them."""
        found = np.full((self.rows, len(self.names)), -1)
        found[self.row, self.stream] = self.code
        return found


def find(aligned: str | Path, share: float, alike: Near | None = None) -> list[Twins]:
    """Per modality of media or texts. aligned: what `align` wrote;  share: `validate.placeholder_share`;  alike: how
    alike near-duplicates are, None where they are not looked for.
    """
    path, meta = Path(aligned) / "samples.parquet", Meta.read(Path(aligned) / "meta.json")
    streams = meta.streams or {}
    clock = Timeline.found(Path(aligned) / "clock.json")
    cut = bool(clock and clock.cut)
    kinds = codes(tables.read(path, ["label"])["label"])
    found = []
    for modality in dict.fromkeys(streams.values()):
        if is_written(modality) and not is_prose(modality):
            continue
        names = [s for s in streams if streams[s] == modality]
        column = "" if is_prose(modality) else "_digest"
        numbers = np.concatenate([_numbers(path, s + column, bool(column)) for s in names])
        item = np.flatnonzero(numbers != NULL)
        row, stream = item % len(kinds), item // len(kinds)
        code = np.unique(numbers[item], return_inverse=True)[1].astype(np.int64)
        parts = _parts(path, names, item, code) if column else None
        least, pairs = getattr(alike, modality, None) if alike else None, np.zeros((0, 2), np.int64)
        if least is not None and len(item):
            code, pairs = _with_near(path, meta.root, modality, names, item, code, least, cut)
        code[np.isin(code, Common(share, kinds).among(code, kinds[row], len(kinds)))] = -1
        found.append(Twins(len(kinds), names, row, stream, code, parts, pairs))
    return found


def _parts(path: Path, names: Sequence[str], item: np.ndarray, file: np.ndarray) -> Parts | None:
    """None where nothing says that a value is a part of its file."""
    start, end = (np.concatenate([tables.read(path, [s + which])[s + which].to_numpy() for s in names])[item]
                  .astype(np.float64) for which in ("_start", "_end"))
    if np.isnan(start).all() and np.isnan(end).all():
        return None
    return Parts(file.copy(), np.where(np.isnan(start), -np.inf, start), np.where(np.isnan(end), np.inf, end))


def _numbers(path: Path, column: str, medium: bool) -> np.ndarray:
    """int64 per row: equal contents have equal numbers; NULL where there is none."""
    found = [np.zeros(0, np.int64)]
    for piece in tables.pieces(path, [column]):
        cells = piece[column]
        if not medium:
            cells = pc.utf8_lower(pc.utf8_trim_whitespace(pc.utf8_normalize(cells, "NFC")))
            cells = pc.if_else(pc.equal(cells, ""), None, cells)
        found.append(numbered(cells))
    return np.concatenate(found)


def _with_near(path: Path, root: str, modality: str, names: Sequence[str], item: np.ndarray, code: np.ndarray,
               least: float, cut: bool) -> tuple[np.ndarray, np.ndarray]:
    """The `code` of each value where near-duplicates have the same; and which these are, see `Twins`. cut: whether
    recordings are cut into stretches: parts of one file are then apart, unless they are alike.
    """
    part = import_module(f"trivium.data.alike.{modality}")
    wanted = names if is_prose(modality) else [f"{s}{end}" for s in names for end in ("", "_start", "_end")]
    table = tables.read(path, wanted)
    values = pa.concat_arrays([chunk for s in names for chunk in table[s].chunks]).take(pa.array(item))
    if is_prose(modality):
        _, once = np.unique(code, return_index=True)
        found = once[part.pairs([text.bare(one) for one in values.take(pa.array(once)).to_pylist()], least)]
    else:
        start, end = (np.concatenate([table[f"{s}{which}"].to_numpy() for s in names])[item].astype(np.float64)
                      for which in ("_start", "_end"))
        told = np.stack([code, *(np.nan_to_num(one, nan=-1.0) for one in (start, end))], 1)
        once = np.sort(np.unique(told, axis=0, return_index=True)[1])
        code = np.unique(told, axis=0, return_inverse=True)[1].reshape(-1) if cut else code
        spans = [[None if np.isnan(one) else float(one) for one in times[once]] for times in (start, end)]
        prints = list(_prints(modality, root, list(zip(values.take(pa.array(once)).to_pylist(), *spans, strict=True))))
        there = np.array([one is not None for one in prints])
        known = [one for one in prints if one is not None]
        found = once[there][part.pairs(np.stack(known), least)] if known else np.zeros((0, 2), np.int64)
    found = np.unique(np.sort(found.reshape(-1, 2), axis=1), axis=0)
    links = np.concatenate([found, near.same(code)])
    return connected(len(code), links[:, 0], links[:, 1]), found[code[found[:, 0]] != code[found[:, 1]]]


def _prints(modality: str, root: str, values: list[tuple[str | None, float | None, float | None]],
            ) -> Iterator[np.ndarray | None]:
    """Of each value, in their order, whatever the number of workers."""
    tasks: Iterator[Task] = (("", modality, root, values[at: at + CHUNK]) for at in range(0, len(values), CHUNK))
    with Progress(f"comparing {modality}", len(values), "value") as progress:
        for _, results in measured(_work, tasks, len(values), lambda: None):
            progress.add(len(results))
            yield from (one.get("print") for one in results)


def _work(task: Task) -> list[dict[str, Any]]:
    _, modality, root, values = task
    part = import_module(f"trivium.data.alike.{modality}")
    return [{"print": None if value is None else part.print_of(value, root, start, end)}
            for value, start, end in values]

