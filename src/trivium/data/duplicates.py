"""Samples with the same content, so that split can keep them on one side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data.linked_rows import NULL, codes, codes_in, connected, numbered, repeated
from trivium.data.placeholders import Common, placeholders
from trivium.modalities import is_prose, is_written

MIX = 0x9E3779B97F4A7C15  # odd: what a key says in one modality and in another do not add up alike


@dataclass(frozen=True)
class Content:
    """A stream's table. key: int64 per row, the code of its key, none negative;  pieces: some columns of it, in order.
    """

    key: np.ndarray
    pieces: Callable[[Sequence[str]], Iterable[pa.Table]]

    def numbers(self, column: str, wanted: np.ndarray | None = None) -> np.ndarray:
        """Of each row (see `numbered`), or of those that are `wanted` (bool per row)."""
        found, row = [np.zeros(0, np.int64)], 0
        for piece in self.pieces([column]):
            here = slice(row, row + len(piece))
            row += len(piece)
            if wanted is None or wanted[here].any():
                cells = piece[column] if wanted is None else piece[column].filter(pa.array(wanted[here]))
                found.append(numbered(cells))
        return np.concatenate(found)


def duplicate_groups(labels: pa.Table, rows: Mapping[str, pa.Table], streams: Mapping[str, str]) -> pa.Array:
    """Per row of `labels`: the name of the first sample of its group, null for a sample that shares nothing; see
    `grouped`.

    rows: the table of each stream;  streams: name -> modality
    """
    keys = pc.unique(labels["key"])
    contents = {s: Content(codes_in(table["key"], keys), partial(_chosen, table)) for s, table in rows.items()}
    own, kinds = codes_in(labels["key"], keys), None
    if "label" in labels.column_names:
        kinds = np.full(len(keys), -1)
        kinds[own[::-1]] = codes(labels["label"])[::-1]
    members, first = grouped(own, len(keys), contents, streams, Common(kinds=kinds))
    return named(len(labels), members, labels["sample"].combine_chunks().take(pa.array(first)))


def _chosen(table: pa.Table, columns: Sequence[str]) -> list[pa.Table]:
    return [table.select([name for name in columns if name in table.column_names])]


def named(rows: int, members: np.ndarray, names: pa.Array) -> pa.Array:
    """Per row: of `members` (int64, ascending) their `names`, of the others null."""
    place = np.full(rows, -1)
    place[members] = np.arange(len(members))
    return names.take(pa.array(place, mask=place < 0))


def grouped(label_key: np.ndarray, keys: int, contents: Mapping[str, Content], streams: Mapping[str, str],
            common: Common) -> tuple[np.ndarray, np.ndarray]:
    """The rows of labels that share content with another, ascending, and the first row of the group of each.

    Two samples share content when they have a key in common (parts of one recording), when one file of theirs has the
    same digest, or, for samples that are written and nothing else, when all their digests are equal: in whatever
    streams of one modality these stand. Rows of a table are alike without being the same thing: they tell apart samples
    with the same text, and join none by themselves. Chains count. A file that stands in for a missing one (see
    `placeholders`) in some stream is no content in any, and so is such a text.

    label_key: code of each label row's key, of `keys`;  contents: of each stream;  streams: name -> modality
    """
    nodes = keys
    a, b = list[np.ndarray](), list[np.ndarray]()
    media, prose = (np.zeros(keys, dtype=bool) for _ in range(2))
    texts: np.ndarray | None = None  # what each key says, as one number
    for modality in sorted(dict.fromkeys(streams.values()), key=_told_apart):
        alike = [contents[s] for s in streams if streams[s] == modality]
        if is_written(modality):
            combined = np.zeros(keys, dtype=np.uint64)
            wanted = _shared(texts, prose) if _told_apart(modality) else None  # only what shares its text with another
            for each in alike:
                own = None if wanted is None else wanted[each.key]
                key = each.key if own is None else each.key[own]
                prose[key] |= is_prose(modality)
                cells = each.numbers("value" if _told_apart(modality) else "digest", own)
                np.add.at(combined, key, cells.astype(np.uint64))
            texts = combined if texts is None else texts * np.uint64(MIX) + combined
            continue
        key = np.concatenate([each.key for each in alike])
        digest = np.concatenate([each.numbers("digest") for each in alike])
        media[key] = True
        stand_in = [number for each in alike for number in _placeholders(each, common)]
        shared = ~np.isin(digest, [NULL, *stand_in])
        nodes = _link(key[shared], digest[shared], nodes, a, b)
    if texts is not None:
        alone = np.flatnonzero(~media & prose)
        said = texts[alone].astype(np.int64)
        own = ~np.isin(said, common.among(said, common.of(alone), len(alone)))
        _link(alone[own], said[own], nodes, a, b)
    group = np.arange(keys)
    if linked := sum(len(part) for part in a):
        every: np.ndarray = np.concatenate([*a, *b])
        joined, place = np.unique(every, return_inverse=True)
        component = connected(len(joined), place[:linked], place[linked:])
        own = joined < keys
        first = np.full(int(component.max()) + 1, keys)
        np.minimum.at(first, component[own], joined[own])
        group[joined[own]] = first[component[own]]
    several = np.bincount(group[label_key], minlength=keys) > 1
    members = np.flatnonzero(several[group[label_key]])
    _, first, inverse = np.unique(group[label_key[members]], return_index=True, return_inverse=True)
    return members, members[first[inverse]]


def _link(key: np.ndarray, numbers: np.ndarray, nodes: int, a: list[np.ndarray], b: list[np.ndarray]) -> int:
    """Add an edge from each key to what it shares with another row, a node from `nodes` on; returns how many there are
    then.
    """
    often = repeated(numbers)
    values, code = np.unique(numbers[often], return_inverse=True)
    a.append(key[often])
    b.append(code + nodes)
    return nodes + len(values)


def _placeholders(each: Content, common: Common) -> np.ndarray:
    """The numbers of its digests that are placeholders."""
    return placeholders(pa.concat_tables(each.pieces(["digest", "start", "end"])), each.key, common)


def _told_apart(modality: str) -> bool:
    """Whether the content of a modality can only tell samples apart, not join them."""
    return is_written(modality) and not is_prose(modality)


def _shared(texts: np.ndarray | None, prose: np.ndarray) -> np.ndarray:
    """bool [keys]: those with the same texts as another."""
    return prose if texts is None else prose & repeated(texts)
