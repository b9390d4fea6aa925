"""How alike encoders are, and how alike strategies err.

Legend: `n` samples, `D` width, `S` sets of features.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trivium.comparison.intervals import Span, seen
from trivium.data.out import Part

Array = NDArray[np.float64]
Key = tuple[str, int, str]  # strategy, seed, stream
Piece = tuple[int, NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]  # seed, y [n], twice [n, C]
SMALLEST = 1e-12  # probability, so that one certain mistake does not silence the other strategy
NEIGHBOURS = 10
ERRORS = 20  # of fewer, nothing is said of how two strategies err together
CKA_SAYS = ("How alike two encoders arrange the same samples: 1 up to rotation and scale, 0 not at all (debiased CKA). "
            "On the diagonal: one strategy at different seeds.")
KNN_SAYS = ("Share of the ten nearest neighbours of a sample on which two encoders agree; {chance:.2f} by chance. "
            "On the diagonal: one strategy at different seeds.")


class Together(Part):
    """What the mean of two strategies' log-probabilities reaches. gain: over the better of the two, a share."""

    score: Span
    gain: float


class Ensemble(Together):
    """Of the two strategies that err together least. joint_errors: see `joint_errors`."""

    members: list[str]
    joint_errors: float


class Map(Part):
    """A table of likeness [N, N], 0-1, None where nothing was measured."""

    title: str
    names: list[str]
    values: list[list[float | None]]
    caption: str


class Similarity(Part):
    maps: list[Map]
    ensemble: Ensemble | None = None
    sentence: str


def cka(features: list[Array]) -> Array:
    """Debiased linear CKA [S, S] between S sets of features, each [n, D] (D may differ), of the same n > 3 samples.

    HSIC_1 of Song et al. (2012, eq. 4) in place of HSIC: with K and L the Gram matrices with zeroed diagonals,
    [tr(KL) + sum(K) sum(L) / ((n-1)(n-2)) - 2 / (n-2) sum(KL)] / (n(n-3)). Independent features give about 0, where
    the usual form (Kornblith et al. 2019) nears 1 as D grows past n. NaN for features that do not vary.
    """
    n = len(features[0])
    grams = np.stack([_gram(x) for x in features])
    rows, flat = grams.sum(2), grams.reshape(len(features), -1)
    hsic = flat @ flat.T + np.outer(rows.sum(1), rows.sum(1)) / ((n - 1) * (n - 2)) - 2 / (n - 2) * rows @ rows.T
    own = hsic.diagonal()
    with np.errstate(invalid="ignore", divide="ignore"):
        return hsic / np.sqrt(np.outer(own, own))


def mutual_knn(features: list[Array], neighbours: int = NEIGHBOURS) -> Array:
    """Share of the nearest neighbours (cosine) that two sets of features agree on, [S, S], 0-1 (Huh et al. 2024).

    By chance it is neighbours / (n - 1): compare at the same n only.
    """
    near = np.stack([_nearest(x, neighbours) for x in features]).reshape(len(features), -1)
    return near @ near.T / (len(features[0]) * neighbours)


def joint_errors(wrong_a: ArrayLike, wrong_b: ArrayLike) -> float | None:
    """P(both wrong) / (P(a wrong) P(b wrong)) on the same samples (Bommasani et al. 2022): 1 if errors are independent.

    None where one of them makes fewer than `ERRORS`.
    """
    a, b = np.asarray(wrong_a, bool), np.asarray(wrong_b, bool)
    return float((a & b).mean() / (a.mean() * b.mean())) if min(a.sum(), b.sum()) >= ERRORS else None


def least_alike(wrong: dict[str, NDArray[np.bool_]]) -> tuple[float, str, str] | None:
    """The two strategies that err together least, (`joint_errors`, a, b); None where no pair errs often enough.

    wrong {strategy: [n]} on the same samples. Chosen by their errors, not by what an ensemble of them gains.
    """
    pairs = [(ratio, a, b) for a, b in combinations(wrong, 2)
             if (ratio := joint_errors(wrong[a], wrong[b])) is not None]
    return min(pairs, default=None)


def ensemble(pieces: Iterable[Piece]) -> Together:
    """From what both answered to the same samples."""
    right: dict[int, list[NDArray[np.bool_]]] = {}
    for seed, y, first, second in pieces:
        p, q = (np.maximum(x, SMALLEST, dtype=np.float64) for x in (first, second))
        right.setdefault(seed, []).append(np.stack([score.argmax(1) == y for score in (p * q, first, second)]))
    both, one, two = np.array([np.concatenate(parts, 1).mean(1) for parts in right.values()]).T
    return Together(score=seen(both.tolist()), gain=float(both.mean() - max(one.mean(), two.mean())))


def maps(vectors: dict[str, list[dict[str, Array]]], streams: list[str]) -> list[Map]:
    """From {strategy: per seed {m: [n, D]}}.

    Per stream and measure, strategies against strategies: the mean over seeds (both at the same seed); on the
    diagonal, a strategy against itself at other seeds. Then stream against stream inside one model.
    """
    keys = [(name, seed, m) for name, seeds in vectors.items() for seed, found in enumerate(seeds) for m in found]
    if not keys:
        return []
    features = [vectors[name][seed][m] for name, seed, m in keys]
    place = {key: k for k, key in enumerate(keys)}
    seeds = range(max(len(found) for found in vectors.values()))
    found = list[Map]()
    chance = NEIGHBOURS / (len(features[0]) - 1)
    for title, measure, caption in (("CKA", cka(features), CKA_SAYS),
                                    ("shared neighbours", mutual_knn(features), KNN_SAYS.format(chance=chance))):

        def mean(pairs: list[tuple[Key, Key]], measure: Array = measure) -> float | None:
            known = [measure[place[a], place[b]] for a, b in pairs if a in place and b in place]
            known = [value for value in known if np.isfinite(value)]
            return float(np.mean(known)) if known else None

        for m in [m for m in streams if any(m in seed for of in vectors.values() for seed in of)]:
            names = [name for name in vectors if any((name, seed, m) in place for seed in seeds)]
            values = [[mean([((a, i, m), (b, j, m)) for i in seeds for j in seeds if (i == j) == (a != b)])
                       for b in names] for a in names]
            found.append(Map(title=f"{m}: {title}", names=names, values=values, caption=caption))
        if len(streams) > 1:
            values = [[mean([((name, i, a), (name, i, b)) for name in vectors for i in seeds]) for b in streams]
                      for a in streams]
            found.append(Map(title=f"Between streams: {title}", names=streams, values=values,
                             caption="The same, between the encoders of one model; mean over models."))
    return found


def _gram(x: Array) -> Array:
    """Zero on the diagonal. Centring first changes nothing but keeps the numbers small."""
    centred = np.asarray(x, np.float64) - np.mean(x, 0, dtype=np.float64)
    gram = centred @ centred.T
    np.fill_diagonal(gram, 0.0)
    return gram


def _nearest(x: Array, neighbours: int) -> Array:
    """1 where column is among the nearest neighbours of row, else 0: [n, n]."""
    unit = np.asarray(x, np.float64)
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    closeness = unit @ unit.T
    np.fill_diagonal(closeness, -np.inf)
    found = np.argsort(-closeness, axis=1, kind="stable")[:, :neighbours]
    near = np.zeros_like(closeness)
    np.put_along_axis(near, found, 1.0, axis=1)
    return near
