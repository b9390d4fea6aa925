"""Twenty lines of scikit-learn for tags and for numbers, as a yardstick that shares nothing with Trivium.

    python -m benchmarks.real.targets MANIFEST     five random splits; tags (`a;b`) or numbers, as the labels look

`scikit_learn`: the method of the reference. One-vs-rest logistic regression or ridge regression on simple features of
each stream (n-grams; pixels, colours and gradients; facts as numbers and kinds), each alone, side by side, or the mean
of their answers, whichever validation prefers; strengths and the thresholds of tags are chosen there, too. `boosting`:
gradient boosting on the facts alone.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, hstack
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import average_precision_score, f1_score, log_loss, r2_score
from sklearn.pipeline import make_union
from sklearn.preprocessing import MultiLabelBinarizer, OneHotEncoder, OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks.real.baseline import SHARES, Split, image_features, random_splits

STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # C of logistic regression
PENALTIES = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1)  # of ridge regression
KNOWN = ("label", "text", "image", "audio", "group")


def score(manifest: Path, splits: Sequence[Split], task: str, metric: str) -> dict[str, list[float]]:
    """`metric` (r2, micro_f1, macro_f1, mean_ap) of each way, for each split (ids of train, val and test)."""
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False).set_index("id")
    found: dict[str, list[float]] = {}
    with threadpool_limits(1):
        for split in splits:
            rows = {part: table.index.get_indexer(list(split[part])) for part in SHARES}
            ways = (_tags if task == "multilabel" else _numbers)(table, manifest.parent, rows, metric)
            for way, value in ways.items():
                found.setdefault(way, []).append(value)
    return found


def _features(table: pd.DataFrame, folder: Path, train: np.ndarray) -> dict[str, Any]:
    """Stream -> what a linear model sees of every row, fitted on the train rows."""
    found: dict[str, Any] = {}
    if "text" in table:
        words = make_union(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
                           TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True))
        found["text"] = words.fit(table["text"].iloc[train]).transform(table["text"])
    if "image" in table:
        pixels = np.stack([image_features(folder / name) for name in table["image"]])
        found["image"] = csr_array(StandardScaler().fit(pixels[train]).transform(pixels) / pixels.shape[1] ** 0.5)
    if facts := _facts(table):
        numbers, kinds = facts
        made = make_column_transformer((StandardScaler(), list(numbers)),
                                       (OneHotEncoder(handle_unknown="ignore"), list(kinds)))
        missing = numbers.isna().astype(str).add_prefix("no_")
        whole = numbers.fillna(numbers.iloc[train].median()).join(missing).join(kinds)
        made.transformers[1] = (*made.transformers[1][:2], [*kinds, *(f"no_{name}" for name in numbers)])
        found["facts"] = csr_array(made.fit(whole.iloc[train]).transform(whole)) / 4.0
    return found


def _facts(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The columns that are no stream, as numbers and as kinds."""
    names = [name for name in table if name not in KNOWN]
    if not names:
        return None
    read = {name: pd.to_numeric(table[name], errors="coerce") for name in names}
    numeric = [name for name in names if read[name].notna().sum() == (table[name] != "").sum()]
    return pd.DataFrame({name: read[name] for name in numeric}), table[[n for n in names if n not in numeric]]


def _numbers(table: pd.DataFrame, folder: Path, rows: Mapping[str, np.ndarray], metric: str) -> dict[str, float]:
    y = table["label"].astype(float).to_numpy()
    train, val, test = (rows[part] for part in SHARES)
    each = _features(table, folder, train)
    sides: dict[str, Any] = each | {"all": hstack(list(each.values()), format="csr")}

    def fitted(x: Any) -> np.ndarray:
        models = [Ridge(alpha).fit(x[train], y[train]).predict(x) for alpha in PENALTIES]
        return min(models, key=lambda p: np.square(p[val] - y[val]).mean())

    answers = {name: fitted(x) for name, x in sides.items()}
    answers["mean"] = np.mean([answers[name] for name in each], axis=0)
    best = min(answers.values(), key=lambda p: np.square(p[val] - y[val]).mean())
    found = {"scikit_learn": float(r2_score(y[test], best[test]))}
    if facts := _facts(table):
        numbers, kinds = facts
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(kinds.iloc[train])
        x = np.column_stack([numbers.to_numpy(), codes.transform(kinds)])
        model = HistGradientBoostingRegressor(random_state=0, learning_rate=0.05, max_iter=300, early_stopping=True)
        found["boosting"] = float(r2_score(y[test], model.fit(x[train], y[train]).predict(x[test])))
    return found


def _tags(table: pd.DataFrame, folder: Path, rows: Mapping[str, np.ndarray], metric: str) -> dict[str, float]:
    y = MultiLabelBinarizer().fit_transform(table["label"].str.split(";"))
    train, val, test = (rows[part] for part in SHARES)
    y = y[:, y[train].any(0)]
    each = _features(table, folder, train)
    sides: dict[str, Any] = each | {"all": hstack(list(each.values()), format="csr")}

    def loss(p: np.ndarray) -> float:
        return float(np.mean([log_loss(y[val, k], p[val, k], labels=[0, 1]) for k in range(y.shape[1])]))

    def fitted(x: Any) -> np.ndarray:
        def tag(k: int, strength: float) -> np.ndarray:
            return LogisticRegression(C=strength, max_iter=500).fit(x[train], y[train, k]).predict_proba(x)[:, 1]

        return min((np.column_stack([tag(k, c) for k in range(y.shape[1])]) for c in STRENGTHS), key=loss)

    answers = {name: fitted(x) for name, x in sides.items()}
    answers["mean"] = np.mean([answers[name] for name in each], axis=0)
    best = min(answers.values(), key=loss)
    if metric == "mean_ap":
        here = y[test].any(0)
        return {"scikit_learn": float(average_precision_score(y[test][:, here], best[test][:, here], average="macro"))}
    grid = np.linspace(0.05, 0.95, 19)
    cuts = [grid[np.argmax([f1_score(y[val, k], best[val, k] >= cut, zero_division=0) for cut in grid])]
            for k in range(y.shape[1])]
    here = y[test].any(0) if metric == "macro_f1" else np.ones(y.shape[1], bool)
    return {"scikit_learn": float(f1_score(y[test][:, here], (best[test] >= cuts)[:, here],
                                           average=metric.removesuffix("_f1"), zero_division=0))}


def main(manifests: Sequence[str]) -> None:
    for manifest in manifests:
        table = pd.read_csv(manifest, dtype=str, keep_default_na=False).set_index("id")
        tags = table["label"].str.contains(";").any()
        task = "multilabel" if tags else "regression"
        for metric in ("micro_f1", "macro_f1", "mean_ap") if tags else ("r2",):
            ways = score(Path(manifest), random_splits(table), task, metric)
            print(manifest, metric, ", ".join(f"{way} {np.mean(values):.3f} ± {np.std(values):.3f}"
                                              for way, values in ways.items()))


if __name__ == "__main__":
    main(sys.argv[1:])
