"""What `trivium forget` does of streams that have tables of their own, whose rows are of recordings and not of samples.

A recording goes with the last row that is of it. Where other rows stay, nobody but the owner of the table knows which
part of it was about those that went: the tables and their rows are named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from trivium.cli.rows import Source, listed
from trivium.data.sources import meant, rows
from trivium.data.sources.clocked import ONE
from trivium.modalities import is_written

if TYPE_CHECKING:
    from trivium.data.settings import Stream
    from trivium.data.sources.forgotten import Forgotten
    from trivium.params import Params


def recordings(params: Params, sources: Iterable[Source], gone: Forgotten) -> tuple[set[str], set[str]]:
    """Of the rows that are forgotten: recordings that no other row is of, and those that others are of as well."""
    if not any(stream.table for stream in params.data.streams.values()):
        return set(), set()
    mine, others = set[str](), set[str]()
    for source in sources:
        forgotten = gone.within(pa.chunked_array([pa.array(source.ids(), pa.string())])).tolist()
        for key, own in zip(source.recordings(), forgotten, strict=True):
            if key is not None:
                (mine if own else others).add(key)
    return mine - others, mine & others


def told(params: Params, whole: Collection[str], shared: Collection[str]) -> list[str]:
    """A sentence or two of each table that has rows of these recordings."""
    found = []
    for s, stream in params.data.streams.items():
        if stream.table:
            keys, names = _read(stream, params.data.manifest.key, s)
            path = Path(stream.table.path)
            if own := [row for row, key in enumerate(keys) if key in whole]:
                files = {names[row] for row in own} - {names[row] for row in range(len(keys)) if row not in set(own)}
                also = f", and the files {listed(sorted(filter(None, files)))} with them" if any(files) else ""
                found.append(f"{path} has {_rows(own)} of recordings that no other row is of: ingest passes over them. "
                             f"The table is yours, and stays as it is: take them out of it yourself{also}.")
            if own := [row for row, key in enumerate(keys) if key in shared]:
                of = "it all" if shared == {ONE} else listed(sorted({str(keys[row]) for row in own}))
                found.append(f"{path} still has {_rows(own)}, of {of}, which rows that stay are of as well: ingest "
                             "reads them. Take out of it yourself what is about the rows that are forgotten.")
    return found


def _read(stream: Stream, manifest_key: str, s: str) -> tuple[list[str | None], list[str | None]]:
    """Of each row of the table its recording, and the file that it names, None of what is no file."""
    own = stream.table
    assert own is not None
    path = Path(own.path)
    known = rows.columns(path)
    key = rows.named(own.key or manifest_key, known, path) if own.key or manifest_key else ""
    file = None if is_written(stream.modality) else rows.named(stream.column or s, known, path)
    table = rows.read(path, [column for column in dict.fromkeys((key or known[0], file)) if column])
    keys = meant.plain(table[key]).to_pylist() if key else [ONE] * len(table)
    return keys, table[file].to_pylist() if file else [None] * len(table)


def _rows(places: Sequence[int]) -> str:
    """`3 rows (1 to 2, 7)`, counted from 1."""
    spans = list[list[int]]()
    for place in places:
        if spans and place == spans[-1][-1] + 1:
            spans[-1] = [spans[-1][0], place]
        else:
            spans.append([place])
    each = [" to ".join(str(place + 1) for place in dict.fromkeys(span)) for span in spans]
    return f"{len(places):,} row{'s' * (len(places) > 1)} ({listed(each)})"
