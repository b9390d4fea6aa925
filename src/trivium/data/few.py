"""A few labelled rows of a domain: so many of each class, drawn anew for each seed, and the rest to test on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEW = 5  # which random stream of a seed
FIFTH = 5  # one label in so many chooses weights, the others train


@dataclass(frozen=True)
class Drawn:
    """Of a seed. order: per class, int64: rows of different groups, in the order in which they get a label."""

    order: list[np.ndarray]
    rows: np.ndarray
    groups: np.ndarray

    @property
    def most(self) -> int:
        """Labels of each class that leave half of its groups to test on."""
        return min(len(own) for own in self.order) // 2

    def labelled(self, labels: int) -> tuple[np.ndarray, np.ndarray]:
        """Train and val, int64, with so many labels of each class. Fewer labels are a part of more."""
        taken = [own[:labels] for own in self.order]
        val = [own[FIFTH - 1::FIFTH] for own in taken]
        return (np.sort(np.concatenate([np.delete(own, np.s_[FIFTH - 1::FIFTH]) for own in taken])),
                np.sort(np.concatenate(val)))

    def test(self, labels: int) -> np.ndarray:
        """int64: rows of the groups that have no label even where each class has `labels`."""
        seen = np.concatenate([own[:labels] for own in self.order])
        return self.rows[~np.isin(self.groups[self.rows], self.groups[seen])]


def draw(rows: np.ndarray, strata: np.ndarray, groups: np.ndarray, seed: int) -> Drawn:
    """rows: int64, of the domain, with a label;  strata, groups: int64 [N], of all rows."""
    order = np.random.default_rng([seed, FEW]).permutation(rows)
    lead = order[np.sort(np.unique(groups[order], return_index=True)[1])]
    return Drawn([lead[strata[lead] == one] for one in np.unique(strata[rows])], rows, groups)


def levels(drawn: Sequence[Drawn], wanted: Sequence[int]) -> list[int]:
    """Numbers of labels per class, ascending: those that are `wanted`, or as many as every seed has at most. One fifth
    of them chooses weights, so fewer than five are none.
    """
    most = min(one.most for one in drawn)
    return sorted({min(one, most) for one in wanted if min(one, most) >= FIFTH} | {0})
