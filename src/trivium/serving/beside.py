"""New rows beside the training rows, which are at hand: statistics that have shifted, and whether a classifier can tell
the two apart.

That classifier is a logistic regression on ranks of the rows' statistics, on what is missing, and on triples of
letters. Its score is the area under the ROC curve on rows that it did not learn from: the probability that of a new and
a training row it knows which is which. A/B tests of data sets do so (Lopez-Paz and Oquab 2017, "Revisiting classifier
two-sample tests").
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trivium.runtime.answering import Answering
from trivium.runtime.statistics.reference import sketches
from trivium.runtime.unlike import LEAST, SURE, Seen, Unlike, seen
from trivium.serving.export.smoke import real

ROWS = 600  # of train
TOLD = 0.65  # area under the curve, from which on it is said
FOLDS = 5
PENALTY = 0.03  # C of the logistic regression: small, since there are about as many features as rows
LETTERS = 64  # buckets of triples
CATEGORIES = 20  # of a statistic of words


class Beside(Unlike):
    """train: rows of it."""

    def __init__(self, answering: Answering, train: list[Seen], root: Path) -> None:
        self.train = train
        super().__init__(answering, {s: sketches(one.statistics[s] for one in train) for s in answering.read}, root)

    def told(self) -> list[str]:
        """See `Unlike.told`."""
        found = super().told()
        if len(self.kept) < LEAST:
            return found
        known = area(self.train, self.kept)
        chance = ((len(self.train) + len(self.kept) + 1) / (12 * len(self.train) * len(self.kept))) ** 0.5
        if known >= TOLD and known - 0.5 > SURE * chance:
            found.append(f"a simple classifier tells these rows from the training rows in {100 * known:.0f} % of cases "
                         "(50 % means that they look alike).")
        return found


def of(root: Path, answering: Answering, seed: int, new: Path) -> Beside | None:
    """None where there are no training rows at hand, or too few. new: the folder of the new rows"""
    if not (root / "data/aligned/samples.parquet").exists() or not (root / "data/splits/splits.parquet").exists():
        return None
    rows, media = real(root, answering.streams, seed, ROWS, "train", spread=True)
    train = seen(answering, rows, media)
    gone = [sum(one.statistics[s]["state"] == "unreadable" for one in train) > len(train) / 2 for s in answering.read]
    return Beside(answering, train, new) if len(train) >= LEAST and not any(gone) else None


def area(train: Sequence[Seen], new: Sequence[Seen]) -> float:
    """Under the ROC curve, 0-1, of rows that the classifier did not learn from."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    y = np.repeat([0, 1], [len(train), len(new)])
    model = LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=1000)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    scores = cross_val_predict(model, features([*train, *new]), y, cv=folds, method="decision_function")
    return float(roc_auc_score(y, scores))


def features(rows: Sequence[Seen]) -> np.ndarray:
    """float64 [N, F], each between -1 and 1, or of deviation 1; 0 where there is nothing."""
    columns: list[np.ndarray] = []
    for s in sorted({s for row in rows for s in row.statistics}):
        own = [row.statistics.get(s, {}) for row in rows]
        for name in sorted({name for one in own for name in one}):
            given = [one.get(name) for one in own]
            if any(isinstance(value, str) for value in given):
                usual = Counter(value for value in given if value is not None).most_common(CATEGORIES)
                columns += [np.array([value == word for value in given], float) for word, _ in usual]
            else:
                columns.append(_ranks(np.array([np.nan if value is None else value for value in given], float)))
    for s in sorted({s for row in rows for s in row.texts}):
        columns += list(_scaled(np.stack([_letters(row.texts.get(s, "")) for row in rows])).T)
    return np.stack(columns, 1) if columns else np.zeros((len(rows), 1))


def _ranks(values: np.ndarray) -> np.ndarray:
    """-1 to 1, the same for the same value; 0 where there is none."""
    there = np.isfinite(values)
    found = np.zeros(len(values))
    if there.any():
        _, place, counts = np.unique(values[there], return_inverse=True, return_counts=True)
        middle = np.cumsum(counts) - (counts + 1) / 2
        found[there] = 2 * middle[place] / max(1, there.sum() - 1) - 1
    return found


def _letters(text: str) -> np.ndarray:
    """Shares of triples of letters, by bucket; their roots, so that the usual ones do not drown the others."""
    plain = f" {text.casefold()} "
    found = np.zeros(LETTERS)
    for k in range(len(plain) - 2):
        found[zlib.crc32(plain[k:k + 3].encode("utf-8", "replace")) % LETTERS] += 1
    return np.sqrt(found / max(1.0, found.sum()))


def _scaled(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(0)) / np.maximum(values.std(0), 1e-9)
