"""Test rows that have a twin among the rows that models learn from: the leak of a split, given or drawn.

Two parts of one file are twins where they overlap: other seconds of a recording are different content.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trivium.data import nearly, tables
from trivium.data.meta import Meta
from trivium.data.nearly import Nearly
from trivium.data.out import Out, Part
from trivium.data.overlap import meets, overlap
from trivium.modalities import is_prose

if TYPE_CHECKING:
    from trivium.data.twins import Twins

PATH = Path("reports/leaks.json")
EXAMPLES = 3
SHOWN = 80  # characters of a value
LEARNED = [tables.SPLITS.index(side) for side in ("train", "unlabelled")]
TEST = tables.SPLITS.index("test")


class Example(Part):
    """Names of a test sample and of a train sample that is its twin, and the value of each."""

    test: str
    train: str
    test_value: str
    train_value: str


class Leak(Part):
    """Of a stream: of so many test rows that have it, how many have a twin in train; a few of them. bare: of a text, in
    how many of these rows there is nothing but text.
    """

    stream: str
    of: int
    rows: int
    bare: int = 0
    examples: tuple[Example, ...] = ()


class Leaks(Out):
    """near: whether near-duplicates count as twins.  given: of the data's own split column, before anything is mended,
    empty where there is none.  seeds: of each seed's split.  whole: the test rows of each seed all of whose streams
    have a twin in train.  nearly: which samples near-duplicates keep together, None where there is none.
    """

    near: bool
    given: list[Leak]
    seeds: list[list[Leak]]
    whole: list[int]
    nearly: tuple[Nearly, ...] | None = None


def measure(aligned: str | Path, splits: str | Path, twins: Sequence[Twins], near: bool, own: bool = True) -> Leaks:
    """aligned, splits: what these stages wrote;  twins: see `twins.find`;  own: whether the data's own split column,
    where it has one, is used.
    """
    samples = Path(aligned) / "samples.parquet"
    names = tables.names(samples)
    given = _sides(samples, "split") if own and "split" in names else np.zeros(0, np.int64)
    drawn = [name for name in tables.names(Path(splits) / "splits.parquet") if name.startswith("seed_")]
    sides = [_sides(Path(splits) / "splits.parquet", name) for name in drawn]
    return Leaks(near=near, given=_leaks(samples, given, twins, bare=_bare(aligned)) if (given == TEST).any() else [],
                 seeds=[_leaks(samples, one, twins, k == 0) for k, one in enumerate(sides)],
                 whole=[_whole(one, twins) for one in sides], nearly=nearly.found(samples, twins))


def _sides(path: Path, column: str) -> np.ndarray:
    """int64 per row: the split's place in SPLITS, -1 where there is none."""
    place = {name: k for k, name in enumerate(tables.SPLITS)}
    return np.concatenate([np.array([place.get(one, -1) for one in piece[column].to_pylist()], np.int64)
                           for piece in tables.pieces(path, [column])])


def _hit(sides: np.ndarray, own: Twins) -> tuple[np.ndarray, np.ndarray]:
    """bool per value: whether it is of test; and of these, has a twin in train."""
    learned = np.isin(sides[own.row], LEARNED) & (own.code >= 0)
    tested = sides[own.row] == TEST
    hit = tested & np.isin(own.code, np.unique(own.code[learned]))
    if own.parts is not None:
        hit[hit] = _several(own.code, own.parts.file, learned, hit) | meets(own.parts, learned, hit)
    return tested, hit


def _several(code: np.ndarray, file: np.ndarray, learned: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """bool per value that is asked for: whether one of another file, nearly the same, is learned."""
    least, most = (np.full(int(code.max(initial=-1)) + 1, one) for one in (len(code), -1))
    np.minimum.at(least, code[learned], file[learned])
    np.maximum.at(most, code[learned], file[learned])
    return (least[code[asked]] != file[asked]) | (most[code[asked]] != file[asked])


def _bare(aligned: str | Path) -> np.ndarray:
    """bool per row: whether it has nothing but text."""
    samples, streams = Path(aligned) / "samples.parquet", Meta.read(Path(aligned) / "meta.json").streams or {}
    bare = np.ones(tables.count(samples), bool)
    for s in (s for s, modality in streams.items() if not is_prose(modality)):
        bare &= tables.read(samples, [s])[s].is_null().to_numpy()
    return bare


def _leaks(samples: Path, sides: np.ndarray, twins: Sequence[Twins], shown: bool = True,
           bare: np.ndarray | None = None) -> list[Leak]:
    found = []
    for own in twins:
        tested, hit = _hit(sides, own)
        for k, stream in enumerate(own.names):
            mine = own.stream == k
            places = np.flatnonzero(hit & mine)
            alone = np.zeros(len(places), bool) if bare is None else bare[own.row[places]]
            places = places[np.argsort(~alone, kind="stable")]
            found.append(Leak(stream=stream, of=int((tested & mine).sum()), rows=len(places), bare=int(alone.sum()),
                              examples=_examples(samples, sides, own, places[:EXAMPLES]) if shown else ()))
    return found


def _whole(sides: np.ndarray, twins: Sequence[Twins]) -> int:
    """Test rows that have a value, all of which have a twin in train."""
    there, twin = np.zeros(len(sides), np.int64), np.zeros(len(sides), np.int64)
    for own in twins:
        tested, hit = _hit(sides, own)
        there += np.bincount(own.row[tested], minlength=len(sides))
        twin += np.bincount(own.row[hit], minlength=len(sides))
    return int(((there > 0) & (there == twin)).sum())


def _examples(samples: Path, sides: np.ndarray, own: Twins, places: np.ndarray) -> tuple[Example, ...]:
    if not len(places):
        return ()
    learned = np.flatnonzero(np.isin(sides[own.row], LEARNED))
    other = [int(learned[np.argmax(_alike(own, learned, place))]) for place in places]
    table = tables.read(samples, ["sample", *own.names])

    def cell(column: str, place: int) -> str:
        return str(table[column][int(own.row[place])].as_py())

    return tuple(Example(test=cell("sample", a), test_value=cell(own.names[own.stream[a]], a)[:SHOWN],
                         train=cell("sample", b), train_value=cell(own.names[own.stream[b]], b)[:SHOWN])
                 for a, b in zip(places.tolist(), other, strict=True))


def _alike(own: Twins, places: np.ndarray, place: int) -> np.ndarray:
    """bool per one of `places`: whether it is a twin of the value at `place`."""
    same, parts = own.code[places] == own.code[place], own.parts
    if parts is None:
        return same
    return same & ((parts.file[places] != parts.file[place]) | overlap(parts, places, place))


def said(found: Leaks, tied: Sequence[str]) -> list[str]:
    """Sentences about what a split gives away. tied: streams whose twins are rows' twins: media."""
    kind = "the same or nearly the same" if found.near else "the same"
    lines = [f"by the data's own split column, {one.rows:,} of {one.of:,} test rows have {kind} {one.stream} as a "
             f"train row: {_named(one)}" for one in found.given if one.rows and one.stream in tied]
    lines += [f"by the data's own split column, {one.bare:,} test row{'s that have' if one.bare > 1 else ' that has'} "
              f"nothing but text {'have' if one.bare > 1 else 'has'} {kind} {one.stream} as a train row: "
              f"{_named(one, one.bare)}" for one in found.given if one.bare]
    for leaks in found.seeds[:1]:
        lines += [f"{one.rows:,} of {one.of:,} test rows of seed 0 have {kind} {one.stream} as a train row: "
                  f"{_named(one)}" for one in leaks if one.rows and one.stream in tied]
    if found.whole and found.whole[0]:
        lines.append(f"all streams of {found.whole[0]:,} test rows of seed 0 have a twin in train: figures on them say "
                     "less than they seem to.")
    return lines


def _named(leak: Leak, most: int = EXAMPLES) -> str:
    return ", ".join(f"`{one.test}` like `{one.train}`" for one in leak.examples[:most])
