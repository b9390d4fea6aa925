"""What met what on the common clock, thinned out so that a picture can show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from trivium.data.cut import Cut
from trivium.data.onclock import Stream
from trivium.data.timeline import Counts, Line, Offset, Piece, Recording, Timeline
from trivium.data.wanted import Wanted

RECORDINGS = 3  # that are drawn
PIECES = 200  # of a stream in a recording


def drawn(samples: Wanted, code: np.ndarray, has: np.ndarray,
          streams: Mapping[str, tuple[Stream, np.ndarray, np.ndarray]], keys: Mapping[int, str | None],
          found: Sequence[Offset], dates: bool, cut: Cut | None = None) -> Timeline:
    """code: of each sample's key;  has: whether it met anything, and is not left out
    streams: by name, with the code of each row's key, and whether a sample took it up;  keys: by code
    """
    chosen = list(dict.fromkeys(code[code >= 0].tolist()))[:RECORDINGS]
    recordings = []
    for one in chosen:
        here = np.flatnonzero(code == one)
        lines = [Line(name="samples", pieces=_pieces(samples.start[here], samples.end[here], has[here]))]
        for name, (stream, own, taken) in streams.items():
            if stream.timed:
                rows = np.flatnonzero(own == one)
                lines.append(Line(name=name, pieces=_pieces(stream.first[rows], stream.last[rows], taken[rows])))
        recordings.append(Recording(key=str(keys.get(one)), lines=lines))
    return Timeline(
        dates=dates, ticks=samples.tick is not None, samples=int(has.sum()),
        alone=int((~has).sum()) - (cut.across if cut else 0),
        streams={name: Counts(rows=len(taken), matched=int(taken.sum()), offset=round(stream.offset, 6))
                 for name, (stream, _, taken) in streams.items()},
        recordings=recordings, offsets=list(found), cut=cut)


def _pieces(first: np.ndarray, last: np.ndarray, matched: np.ndarray) -> list[Piece]:
    """In the order of time, evenly thinned out; those without a time are left out."""
    there = np.flatnonzero(np.isfinite(first) & np.isfinite(last))
    there = there[np.argsort(first[there], kind="stable")]
    if len(there) > PIECES:
        there = there[np.linspace(0, len(there) - 1, PIECES).astype(int)]
    return [(round(float(first[k]), 3), round(float(last[k]), 3), bool(matched[k])) for k in there]
