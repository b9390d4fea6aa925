"""Samples with the same content, so that split can keep them on one side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data.linked_rows import codes, codes_in, connected, number
from trivium.modalities import is_prose, is_written

MANY, SHARE, TIMES = 20, 0.01, 10  # see `placeholders`


def duplicate_groups(labels: pa.Table, rows: Mapping[str, pa.Table], streams: Mapping[str, str]) -> pa.Array:
    """Per row of `labels`: the name of the first sample of its group, null for a sample that shares nothing.

    Two samples share content when they have a key in common (parts of one recording), when one file of theirs has the
    same digest, or, for samples that are written and nothing else, when all their digests are equal: in whatever
    streams of one modality these stand. Rows of a table are alike without being the same thing: they tell apart samples
    with the same text, and join none by themselves. Chains count. A file that stands in for a missing one (see
    `placeholders`) in some stream is no content in any.

    rows: the table of each stream;  streams: name -> modality
    """
    keys = pc.unique(labels["key"])
    label_key = codes_in(labels["key"], keys)
    nodes = len(keys)
    a, b = [], []
    media, prose = (np.zeros(len(keys), dtype=bool) for _ in range(2))
    texts: list[np.ndarray] = []
    for modality in sorted(dict.fromkeys(streams.values()), key=_told_apart):
        alike = [rows[s] for s in streams if streams[s] == modality]
        content = "value" if _told_apart(modality) else "digest"
        table = pa.concat_tables([each.select(["key", content]) for each in alike])
        if _told_apart(modality):  # only what shares its text with another
            table = table.filter(pc.is_in(table["key"], keys.filter(pa.array(_shared(texts, prose)))))
        key = codes_in(table["key"], keys)
        digest = codes(table[content])
        if is_written(modality):
            prose[key] |= is_prose(modality)
            combined = np.zeros(len(keys), dtype=np.uint64)
            np.add.at(combined, key, _scatter(digest))
            texts.append(combined)
            continue
        media[key] = True
        stand_in = pa.concat_arrays([placeholders(each).cast(pa.string()) for each in alike])
        shared = ~pc.is_in(table["digest"], value_set=stand_in).to_numpy()
        a.append(key[shared])
        b.append(digest[shared] + nodes)
        nodes += int(digest.max(initial=-1)) + 1
    if texts:
        alone = np.flatnonzero(~media & prose)
        same = number(np.unique(np.stack(texts, axis=1)[alone], axis=0, return_inverse=True)[1].reshape(-1))
        a.append(alone)
        b.append(same + nodes)
        nodes += len(alone)
    group = connected(nodes, np.concatenate(a), np.concatenate(b))[: len(keys)][label_key] if a else label_key
    _, first, inverse, count = np.unique(group, return_index=True, return_inverse=True, return_counts=True)
    names = labels["sample"].combine_chunks().take(pa.array(first[inverse]))
    return pc.if_else(pa.array(count[inverse] > 1), names, None)


def _told_apart(modality: str) -> bool:
    """Whether the content of a modality can only tell samples apart, not join them."""
    return is_written(modality) and not is_prose(modality)


def _shared(texts: list[np.ndarray], prose: np.ndarray) -> np.ndarray:
    """bool [keys]: those with the same texts as another."""
    if not texts:
        return prose
    _, same, count = np.unique(np.stack(texts, 1), axis=0, return_inverse=True, return_counts=True)
    return prose & (count[same.reshape(-1)] > 1)


def placeholders(table: pa.Table) -> pa.Array:
    """Digests of the files of a media table that stand in for missing ones, as a grey "no image" does: of more than
    20 rows, of more than 1 % of all rows, and of more than 10 times as many as a file of this table usually has, so
    that pictures with 30 questions each remain what they are. Parts of a recording are different content.
    """
    parts = [table[name].is_valid() for name in ("start", "end") if name in table.column_names]
    whole = table["digest"].filter(pc.invert(pc.or_(*parts))) if parts else table["digest"]
    digests, counts = pc.value_counts(whole.drop_null()).flatten()
    rows = counts.to_numpy()
    usual = np.median(rows) if len(rows) else 0
    return digests.filter(pa.array((rows > MANY) & (rows > SHARE * table.num_rows) & (rows > TIMES * usual)))


def _scatter(code: np.ndarray) -> np.ndarray:
    """64 pseudo-random bits per code, so that (wrapping) sums over sets of codes tell sets apart."""
    return np.random.default_rng(0).integers(2**64, size=int(code.max(initial=-1)) + 1, dtype=np.uint64)[code]
