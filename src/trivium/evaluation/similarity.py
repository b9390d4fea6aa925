"""How alike encoders are, and how alike strategies err.

Legend: `n` samples, `D` width, `S` sets of features.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
NEIGHBOURS = 10


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

    None where one of them makes no error.
    """
    a, b = np.asarray(wrong_a, bool), np.asarray(wrong_b, bool)
    independent = a.mean() * b.mean()
    return float((a & b).mean() / independent) if independent else None


def least_alike(y: ArrayLike, probabilities: dict[str, Array]) -> dict[str, Any] | None:
    """The two strategies that err least together, and what their ensemble (mean of log-probabilities) gains.

    y [n]; probabilities {strategy: [n, C]}, on the same samples. Returns {"a", "b", "joint_errors", "accuracy" of the
    ensemble, "gain" over the better of the two}; None when no pair errs.
    """
    labels = np.asarray(y)
    names = list(probabilities)
    wrong = {name: probabilities[name].argmax(1) != labels for name in names}
    pairs = [(ratio, a, b) for i, a in enumerate(names) for b in names[i + 1:]
             if (ratio := joint_errors(wrong[a], wrong[b])) is not None]
    if not pairs:
        return None
    ratio, a, b = min(pairs)
    both = sum(np.log(np.maximum(probabilities[name], 1e-12)) for name in (a, b))
    accuracy = float((np.asarray(both).argmax(1) == labels).mean())
    better = 1 - min(wrong[a].mean(), wrong[b].mean())
    return {"a": a, "b": b, "joint_errors": ratio, "accuracy": accuracy, "gain": float(accuracy - better)}


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
