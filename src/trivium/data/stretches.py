"""Fewer than three recordings, cut into stretches: otherwise there would be too few for the sides of a split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trivium.data.cut import FEW, Cut

STRETCHES = 50  # that fewer are cut into, at most: enough for shares of 15 %
LEAST = 4  # samples of a stretch: those that reach into the next one are lost
CLOSE = 1e-9  # seconds; rounding


@dataclass(frozen=True)
class Stretches:
    """number: int64 [N], of each sample its stretch, from 0 on over all recordings
    across: bool [N], whether it reaches into the next stretch of its recording
    """

    number: np.ndarray
    across: np.ndarray

    @property
    def counts(self) -> Cut:
        return Cut(stretches=int(self.number.max()) + 1, across=int(self.across.sum()))


def cut(recording: np.ndarray, start: np.ndarray, end: np.ndarray, counts: np.ndarray) -> Stretches | None:
    """Of the samples that count; None where there are recordings enough, or samples without a time.

    recording: int64 code [N];  start, end: float64 seconds [N];  counts: bool [N]
    """
    each = list(dict.fromkeys(recording[counts].tolist()))  # as the samples have them: codes say nothing of an order
    if len(each) >= FEW or not (np.isfinite(start) & np.isfinite(end))[counts].all():
        return None
    number, across = np.zeros(len(recording), np.int64), np.zeros(len(recording), bool)
    for one in each:
        own = np.flatnonzero(counts & (recording == one))
        own = own[np.argsort(start[own], kind="stable")]
        size = max(LEAST, -(-len(own) // (STRETCHES // len(each))))
        place = np.arange(len(own)) // size
        following = np.append(start[own][size::size], np.inf)[place]  # when the next stretch begins
        across[own] = end[own] > following + CLOSE
        number[own] = place + (number.max() + 1 if one != each[0] else 0)
    return Stretches(number, across)
