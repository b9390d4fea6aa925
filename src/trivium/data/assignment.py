"""Stratified assignment of groups to sides: every group whole, every side with its share of every class.

`S` sides, `C` classes, `N` rows, `G` groups.
"""

from __future__ import annotations

import numpy as np

ATTEMPTS = 16  # random greedy assignments to choose from where groups are few
FEW = 1000     # groups of more than one row; with more of them chance evens out by itself


def assign(y: np.ndarray, groups: np.ndarray, shares: np.ndarray, rng: np.random.Generator,
           first: bool = False) -> np.ndarray:
    """The side, 0 to S-1, of each row.

    y: int64 [N], classes.  groups: int64 [N]; rows of one group get one side.  shares: float [S], sum 1.
    first: side 0 (train) gets a row of every class, at the expense of shares if it must be.

    Groups of several rows are placed one by one, large ones first; rows that are alone then fill, per class, what is
    missing, by systematic sampling: any class is within one row of its share, and so is the total.
    """
    if len(y) == 0:
        return np.zeros(0, dtype=np.int64)
    groups = np.unique(groups, return_inverse=True)[1]
    size = np.bincount(groups)
    together = np.flatnonzero(size[groups] > 1)
    alone = np.flatnonzero(size[groups] == 1)
    need = shares[:, None] * np.bincount(y)[None, :]  # [S, C] rows
    best, best_cost = None, None
    for _ in range(ATTEMPTS if 0 < (size > 1).sum() <= FEW else 1):
        sides = np.zeros(len(y), dtype=np.int64)
        have = np.zeros_like(need)
        if len(together):
            sides[together] = _greedy(y[together], groups[together], need, rng)
            np.add.at(have, (sides[together], y[together]), 1)
        if len(alone):
            sides[alone] = _systematic(y[alone], np.maximum(need - have, 0), rng)
        if first:
            _mend(sides, y, groups, len(shares))
        cost = _cost(sides, y, shares)
        if best_cost is None or cost < best_cost:
            best, best_cost = sides, cost
    assert best is not None
    return best


def _greedy(y: np.ndarray, groups: np.ndarray, need: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each group goes where it lowers the chi-square distance between rows placed and rows needed the most.

    The distance is summed over classes and over the total. With one class and equal groups this is the method of
    Sainte-Lague. Sizes are blurred before sorting, so that seeds differ even where all sizes do.
    """
    ids, local, size = np.unique(groups, return_inverse=True, return_counts=True)
    classes = need.shape[1]
    pairs, count = np.unique(local * classes + y, return_counts=True)
    bounds = np.searchsorted(pairs // classes, np.arange(len(ids) + 1))
    # Column `classes` stands for the total. A class that only the other rows hold has no need here, hence the floor.
    gap = -np.concatenate([need, need.sum(axis=1, keepdims=True)], axis=1)  # placed - needed, [S, C + 1]
    weight = 1 / np.maximum(-gap, 1e-9)
    side = np.empty(len(ids), dtype=np.int64)
    for group in np.argsort(-size * rng.lognormal(sigma=0.5, size=len(ids)), kind="stable"):
        span = slice(bounds[group], bounds[group + 1])
        k = np.append(pairs[span] % classes, classes)
        n = np.append(count[span], size[group])
        cost = (n * (n + 2 * gap[:, k]) * weight[:, k]).sum(axis=1)
        side[group] = chosen = int(np.argmin(cost))
        gap[chosen, k] += n
    return side[local]


def _systematic(y: np.ndarray, open_: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows of each class, in random order, dealt out in proportion to the open places [S, C] of their class.

    Systematic sampling with unequal probabilities (Madow 1949), one side after the other.
    """
    order = rng.permutation(len(y))
    order = order[np.argsort(rng.permutation(open_.shape[1])[y[order]], kind="stable")]
    side = np.full(len(y), len(open_) - 1)
    for s in range(len(open_) - 1, 0, -1):
        left = open_[: s + 1].sum(axis=0)
        chance = np.divide(open_[s], left, out=np.zeros_like(left), where=left > 0)[y[order]]
        steps = np.floor(np.cumsum(chance) + rng.random())
        picked = np.diff(steps, prepend=0) > 0
        side[order[picked]] = s
        order = order[~picked]
    side[order] = 0
    return side


def _mend(sides: np.ndarray, y: np.ndarray, groups: np.ndarray, count: int) -> None:
    """Give side 0 the smallest group of every class that it lacks, in place."""
    size = np.bincount(groups)
    for k in np.flatnonzero(_table(sides, y, count)[0] == 0):
        rows = np.flatnonzero(y == k)
        if len(rows) and not (sides[rows] == 0).any():
            group = groups[rows[np.argmin(size[groups[rows]])]]
            sides[groups == group] = 0


def _cost(sides: np.ndarray, y: np.ndarray, shares: np.ndarray) -> tuple[int, float]:
    """(classes that some side lacks, distance from the shares in all and on average per class)."""
    table = _table(sides, y, len(shares))
    table = table[:, table.sum(axis=0) > 0]
    off_total = np.abs(table.sum(axis=1) / table.sum() - shares).sum()
    off_class = np.abs(table / table.sum(axis=0) - shares[:, None]).sum(axis=0).mean()
    return int((table == 0).sum()), float(off_total + off_class)


def _table(sides: np.ndarray, y: np.ndarray, count: int) -> np.ndarray:
    """Rows per side and class, [S, C]."""
    classes = int(y.max()) + 1
    return np.bincount(sides * classes + y, minlength=count * classes).reshape(count, classes)
