"""The rows of the data that params.yaml names, by their ids, and which others hang together with some of them."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from trivium.data import tables
from trivium.data.sources import meant, rows
from trivium.data.sources.clocked import ONE
from trivium.data.sources.manifest import find
from trivium.modalities import is_written
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.params import Params

SAMPLES = Path("data/aligned/samples.parquet")
SHOWN = 5  # names in a sentence


@dataclass(frozen=True)
class Source:
    """A table of rows. column: of their ids;  media: of each stream of media, its column
    key: column of the recordings that rows are of, where streams have tables of their own
    """

    path: Path
    column: str
    media: dict[str, str]
    key: str = ""

    def ids(self) -> list[str | None]:
        return self._read(self.column)

    def recordings(self) -> list[str | None]:
        return self._read(self.key) if self.key else [ONE] * len(self.ids())

    def _read(self, column: str) -> list[str | None]:
        return [name for piece in rows.pieces(self.path, [column]) for name in meant.plain(piece[column]).to_pylist()]

    def files(self, names: Collection[str]) -> list[str]:
        """What the rows of these names, and no others, name as media."""
        wanted = [self.column, *dict.fromkeys(self.media.values())]
        mine, others = set[str](), set[str]()
        for piece in rows.pieces(self.path, wanted):
            own = [name in names for name in meant.plain(piece[self.column]).to_pylist()]
            for column in wanted[1:]:
                for value, is_mine in zip(piece[column].to_pylist(), own, strict=True):
                    if value:
                        (mine if is_mine else others).add(value.strip())
        return sorted(mine - others)


def sources(params: Params) -> list[Source]:
    """Raises: UserError (the data are generated; the table cannot be read)."""
    data = params.data
    if data.source != "manifest":
        raise UserError(f"`data.source: {data.source}` makes its rows itself, and they are about nobody: there is "
                        "nothing to forget. `trivium forget` is for data of your own.")
    found = []
    for name in filter(None, (data.manifest.path, data.manifest.unlabelled)):
        path = Path(name)
        known = rows.columns(path)
        media = {s: column for s, stream in data.streams.items() if not is_written(stream.modality)
                 and not stream.table and (column := rows.named(stream.column or s, known, path))}
        key = find(path, known, data.manifest.key, "data.manifest.key") if data.manifest.key else ""
        found.append(Source(path, find(path, known, data.manifest.id, "data.manifest.id"), media, key))
    return found


def known(given: Sequence[str], there: Collection[str], before: Collection[str]) -> list[str]:
    """Those of the ids `given` that are `there`. before: the ones that are forgotten already, which may be given again.
    Raises: UserError, which names one that is unknown and those that are nearest.
    """
    wanted = list(dict.fromkeys(name.strip() for name in given if name.strip()))
    if unknown := [name for name in wanted if name not in there and name not in before]:
        near = difflib.get_close_matches(unknown[0], list(there), 3, 0.6)
        hint = f" Did you mean {' or '.join(f'`{one}`' for one in near)}?" if near else ""
        more = f" ({len(unknown) - 1:,} more are unknown, too)" if len(unknown) > 1 else ""
        raise UserError(f"No row has the id `{unknown[0]}`{more}.{hint} Nothing was forgotten.")
    return [name for name in wanted if name in there]


def twins(params: Params, names: Collection[str]) -> dict[str, str]:
    """Other rows that hold the same or nearly the same as these -> what they share. Nothing before `align` ran."""
    if not SAMPLES.exists():
        return {}
    from trivium.data import twins as alike
    from trivium.data.settings import Near

    samples = tables.read(SAMPLES, ["sample"])["sample"].to_pylist()
    mine = np.array([name in names for name in samples], bool)
    found: dict[str, str] = {}
    for stream, modality in params.streams.items():
        if not is_written(modality) and stream in tables.names(SAMPLES):
            values = tables.read(SAMPLES, [stream])[stream]
            shared = values.filter(pa.array(mine)).drop_null().unique()
            for name, value, own in zip(samples, values.to_pylist(), mine, strict=True):
                if not own and value is not None and value in shared.to_pylist():
                    found.setdefault(name, f"the same file of {stream}")
    for one in alike.find(SAMPLES.parent, params.validate_.placeholder_share, Near()):
        codes = np.unique(one.code[mine[one.row] & (one.code >= 0)])
        for place in np.flatnonzero(~mine[one.row] & np.isin(one.code, codes)).tolist():
            found.setdefault(samples[int(one.row[place])],
                             f"the same or nearly the same {one.names[int(one.stream[place])]}")
    return found


def listed(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
