"""Values that stand in for missing ones, as a grey "no image" or the words "no description" do.

A value of one stream is a placeholder where it is of more than `MANY` rows, of more than a share of all rows
(`validate.placeholder_share`), of more than `TIMES` as many rows as a value of this stream usually has, so that
pictures with 30 questions each remain what they are, and of rows of several classes (or of several targets): what one
class alone has may be what this class is. Parts of a recording are different content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data.linked_rows import numbered
from trivium.modalities import is_prose, is_written

if TYPE_CHECKING:
    from trivium.data.frames import Rows

MANY, TIMES = 20, 10
SHARE = 0.01
NAMED = 5  # classes that are told
SHOWN = 80  # characters of a value


@dataclass(frozen=True)
class Common:
    """What is a placeholder. share: of all rows, above which;  kinds: int64 per key, the number of its label, negative
    where it has none; None: no label is known, and rows alone decide.
    """

    share: float = SHARE
    kinds: np.ndarray | None = None

    def among(self, numbers: np.ndarray, kinds: np.ndarray | None, rows: int) -> np.ndarray:
        """Those of the `numbers` that are placeholders. numbers, kinds: of the values that count;  rows: all there are.
        """
        values, counts = np.unique(numbers, return_counts=True)
        usual = np.median(counts) if len(counts) else 0
        found = values[(counts > MANY) & (counts > self.share * rows) & (counts > TIMES * usual)]
        if kinds is None or not len(found):
            return found
        return found[[_several(kinds[numbers == one]) for one in found]]

    def of(self, key: np.ndarray) -> np.ndarray | None:
        """The kinds of rows by their keys, negative where a row has none."""
        return None if self.kinds is None else np.where(key >= 0, self.kinds[key], -1)


def placeholders(table: pa.Table, key: np.ndarray, common: Common) -> np.ndarray:
    """int64: the numbers (see `numbered`) of the digests that are placeholders. key: int64 per row of the `table`."""
    return common.among(*_whole(table, key, common), table.num_rows)


def _whole(table: pa.Table, key: np.ndarray, common: Common) -> tuple[np.ndarray, np.ndarray | None]:
    """Numbers and kinds of the rows that have a value, and the whole of it."""
    counts = table["digest"].is_valid().to_numpy().copy()
    for name in ("start", "end"):
        if name in table.column_names:
            counts &= table[name].is_null().to_numpy()
    kinds = common.of(key)
    return numbered(table["digest"])[counts], None if kinds is None else kinds[counts]


def _several(kinds: np.ndarray) -> bool:
    """Whether they are of several labels, or none is known."""
    return len(np.unique(kinds[kinds >= 0])) != 1


def find(rows: Mapping[str, Rows], streams: Mapping[str, str], common: Common) -> dict[str, list[np.ndarray]]:
    """Of each stream of media or texts, which rows have each of its placeholders: int64, ascending."""
    found = dict[str, list[np.ndarray]]()
    for m, own in rows.items():
        if is_written(streams[m]) and not is_prose(streams[m]):
            continue
        table, kept = pa.concat_tables(own.left(["digest", "start", "end"])), own.kept()
        there = placeholders(table, own.keys_left(), common)
        numbers = numbered(table["digest"]) if len(there) else np.zeros(0, np.int64)
        found[m] = [kept[numbers == one] for one in there]
    return found


def take_away(found: Mapping[str, list[np.ndarray]], rows: Mapping[str, Rows]) -> None:
    """Put their rows into quarantine, where they count for no limit."""
    for m, each in found.items():
        for own in each:
            reason = f"a placeholder, which {len(own):,} rows have: taken for missing, as validate.placeholders says"
            rows[m].out |= dict.fromkeys(own.tolist(), reason)
            rows[m].excused |= set(own.tolist())


def digests(found: Mapping[str, list[np.ndarray]], rows: Mapping[str, Rows]) -> dict[str, tuple[str, ...]]:
    """Of each stream that has some, those of its placeholders."""
    return {m: tuple(rows[m].take(own[:1], ["digest"])["digest"][0].as_py() for own in each)
            for m, each in found.items() if each}


def excuse(labels: Rows, rows: Mapping[str, Rows], keys: int) -> None:
    """Samples that had nothing but placeholders count for no limit either."""
    left, taken = np.zeros(keys, np.int64), np.zeros(keys, np.int64)
    for own in rows.values():
        left += own.per_key(keys)
        key = own.key[sorted(own.excused)]
        taken += np.bincount(key[key >= 0], minlength=keys)
    labels.excused |= {row for row in labels.out if (key := labels.key[row]) >= 0 and taken[key] and not left[key]}


def told(found: Mapping[str, list[np.ndarray]], rows: Mapping[str, Rows], labels: pa.ChunkedArray,
         ) -> list[dict[str, Any]]:
    """For `reports/validation.json`: stream, value (of its first row), rows, how many of the most usual classes, and of
    how many classes they are. labels: the label of each key.
    """
    entries = []
    for m, each in found.items():
        for own in each:
            names, counts = pc.value_counts(labels.take(pa.array(rows[m].key[own]))).flatten()
            order = np.argsort(-counts.to_numpy(), kind="stable")[:NAMED].tolist()
            value = rows[m].take(own[:1], ["value"])["value"][0].as_py()
            entries.append({"stream": m, "value": value, "rows": len(own),
                            "classes": [[names[k].as_py() or "no label", counts[k].as_py()] for k in order],
                            "of": len(names)})
    return entries


def said(found: Mapping[str, Any]) -> str:
    """A sentence."""
    return (f"{found['rows']:,} rows with {found['of']} different labels have the same {found['stream']}, "
            f"`{found['value'][:SHOWN]}`: it is taken for a placeholder")
