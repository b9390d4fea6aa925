"""Twenty lines of scikit-learn, as a yardstick that shares nothing with Trivium.

    python -m benchmarks.real.baseline MANIFEST ...     accuracy of each stream and of all, over five random splits

Simple features (n-grams; pixels, colours and gradients; MFCC), a logistic regression for each, whose strength is
chosen on validation. All streams together: the mean of the log-probabilities of those that a sample has ("mean"), or
one regression on all features side by side ("concatenation"). `score` takes what validation prefers of these and of
each stream alone.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import soundfile
from PIL import Image
from scipy.fft import dct
from scipy.signal import resample_poly
from scipy.sparse import csr_array, diags_array, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

Array = np.ndarray[Any, Any]
Split = Mapping[str, Sequence[str]]

STRENGTHS = (1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0, 10.0, 100.0)  # C, the inverse of the penalty; rising
RARE = 1e-6  # the least probability
SHARES = {"train": 0.5, "val": 0.15, "test": 0.35}
SIDE, SMALL, CELL, ANGLES = 64, 16, 16, 9  # pixels of an image, as a small one, of a cell; directions of a gradient
RATE, FRAME, HOP, BANDS, KEPT = 16_000, 400, 160, 40, 20  # Hz, samples, samples, mel bands, cepstral coefficients


class View(NamedTuple):
    """One way to see a stream: a row of values for each sample, and what is fitted on those of train."""

    stream: str
    values: Array
    there: Array
    fitted: Callable[[], Any]


def score(manifest: Path, splits: Sequence[Split]) -> list[float]:
    """The test accuracy for each split (ids of train, val and test), by what validation prefers."""
    table, views = read(manifest)
    with threadpool_limits(1):  # on a busy machine, more threads take 30 times as long
        return [accuracies(table["label"], views, split)["chosen"] for split in splits]


def read(manifest: Path) -> tuple[pd.DataFrame, list[View]]:
    """The table by id, and what a model sees of its text, image and audio."""
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False).set_index("id")
    views = []
    for stream in [name for name in ("text", "image", "audio") if name in table]:
        cells = table[stream].to_numpy(object)
        there = cells != ""
        if stream == "text":
            for kind, lengths in (("word", (1, 2)), ("char_wb", (2, 4))):
                ngrams = partial(TfidfVectorizer, analyzer=kind, ngram_range=lengths, sublinear_tf=True)
                views.append(View(stream, cells, there, ngrams))
        else:
            look = image_features if stream == "image" else audio_features
            rows = [look(manifest.parent / cell) for cell in cells[there]]
            values = np.zeros((len(cells), len(rows[0]) if rows else 1))
            values[there] = rows
            views.append(View(stream, values, there, StandardScaler))
    return table, views


def accuracies(label: pd.Series[str], views: Sequence[View], split: Split) -> dict[str, float]:
    """Test accuracy of each stream, of the "mean" and the "concatenation" of all, and of what validation prefers of
    these ("chosen"). What a sample has nothing of is answered by the class shares of train.
    """
    rows = {part: label.index.get_indexer(list(split[part])) for part in SHARES}
    if any((of < 0).any() for of in rows.values()):
        raise ValueError("The splits have ids that the manifest lacks.")
    classes, y = np.unique(label.iloc[rows["train"]], return_inverse=True)
    prior = np.log(np.bincount(y) / len(y))
    streams: dict[str, list[Array]] = {}
    for view in views:
        streams.setdefault(view.stream, []).append(_answers([view], label.to_numpy(object), rows, classes))
    found = {stream: np.mean(of, axis=0) for stream, of in streams.items()}  # NaN where it is missing
    if len(found) > 1:
        stacked = np.stack(list(found.values()))
        number = (~np.isnan(stacked)).sum(0)
        found["mean"] = np.where(number > 0, np.nansum(stacked, 0) / np.maximum(number, 1), np.nan)
        found["concatenation"] = _answers(views, label.to_numpy(object), rows, classes)
    found = {way: np.where(np.isnan(of), prior, of) for way, of in found.items()}
    count, truth = len(rows["val"]), label.iloc[np.concatenate([rows["val"], rows["test"]])].to_numpy(object)
    own = np.clip(np.searchsorted(classes, truth[:count]), 0, len(classes) - 1)  # of a class that train lacks: any
    loss = {way: -of[np.arange(count), own].mean() for way, of in found.items()}
    score = {way: float(np.mean(classes[of[count:].argmax(1)] == truth[count:])) for way, of in found.items()}
    return score | {"chosen": score[min(loss, key=lambda way: loss[way])]}


def _answers(views: Sequence[View], label: Array, rows: Mapping[str, Array], classes: Array) -> Array:
    """Log-probabilities of each validation and test sample, by one regression on all `views`; NaN where there is none.
    The strength is the best on validation.
    """
    there = np.any([view.there for view in views], axis=0)
    train, val, test = (rows[part][there[rows[part]]] for part in ("train", "val", "test"))
    judged = val[np.isin(label[val], label[train])]
    x_train, x_judged, x_both = _side_by_side(views, train, [train, judged, np.concatenate([val, test])])
    model = LogisticRegression(max_iter=1000, warm_start=True)
    least, best = np.inf, np.empty(0)
    for strength in STRENGTHS:
        model.set_params(C=strength).fit(x_train, label[train])
        at = np.searchsorted(model.classes_, label[judged])
        loss = -np.log(model.predict_proba(x_judged)[np.arange(len(judged)), at] + RARE).mean()
        if loss < least:
            least, best = loss, np.log(model.predict_proba(x_both) + RARE)
        elif loss > 1.2 * least:
            break  # it only gets worse from here
    both = there[np.concatenate([rows["val"], rows["test"]])]
    found = np.full((len(both), len(classes)), np.nan)
    found[both] = np.log(RARE)  # of classes that train shows without this stream
    found[np.ix_(both, np.isin(classes, model.classes_))] = best
    return found


def _side_by_side(views: Sequence[View], train: Array, parts: Sequence[Array]) -> list[Any]:
    """The features of each of `parts` (rows), fitted on the rows `train`; zeros where a view has nothing. Of several
    views each has rows of about the same length.
    """
    columns = []
    for view in views:
        features = view.fitted().fit(view.values[train[view.there[train]]])
        size = np.sqrt(view.values.shape[1]) if view.values.ndim == 2 and len(views) > 1 else 1.0
        made = []
        for rows in parts:
            here = view.there[rows]
            one = csr_array(features.transform(view.values[rows[here]])) / size
            made.append(diags_array(np.ones(len(rows))).tocsr()[:, np.flatnonzero(here)] @ one)
        columns.append(made)
    if len(views) == 1 and views[0].values.ndim == 2:
        return [one.toarray() for one in columns[0]]
    return [hstack(each, format="csr") for each in zip(*columns, strict=True)]


def image_features(path: Path) -> Array:
    """Small grey pixels, the root of how often each of 64 colours is, and HOG."""
    image = Image.open(path).convert("RGB")
    colours = (np.asarray(image, int) // 64 @ [16, 4, 1]).ravel()
    return np.concatenate([np.asarray(image.convert("L").resize((SMALL, SMALL)), float).ravel() / 255,
                           np.sqrt(np.bincount(colours, minlength=64) / len(colours)),
                           hog(np.asarray(image.convert("L").resize((SIDE, SIDE)), float) / 255)])


def hog(grey: Array) -> Array:
    """Histogram of oriented gradients (Dalal and Triggs 2005): per cell the gradients' lengths by direction, each
    shared among the two nearest of ANGLES directions. Blocks of 2 × 2 cells get length one, are cut at 0.2, and get
    length one again."""
    down, across = np.gradient(grey)
    length, angle = np.hypot(down, across), np.arctan2(down, across) * ANGLES / np.pi
    lower, share = np.floor(angle).astype(int) % ANGLES, angle % 1
    sides = tuple(side // CELL for side in grey.shape)
    cells = np.zeros((*sides, ANGLES))
    for which, weight in ((lower, 1 - share), ((lower + 1) % ANGLES, share)):
        for direction in range(ANGLES):
            part = np.where(which == direction, length * weight, 0)[:sides[0] * CELL, :sides[1] * CELL]
            cells[:, :, direction] += part.reshape(sides[0], CELL, sides[1], CELL).sum((1, 3))
    blocks = np.concatenate([cells[i:sides[0] - 1 + i, j:sides[1] - 1 + j] for i in (0, 1) for j in (0, 1)], 2)
    for most in (0.2, 1):
        blocks = np.minimum(blocks / (np.linalg.norm(blocks, axis=2, keepdims=True) + 1e-6), most)
    return blocks.ravel()


def audio_features(path: Path) -> Array:
    """Mean and deviation of the MFCC, at 16 kHz."""
    wave, rate = soundfile.read(path, always_2d=True)
    found = mfcc(resample_poly(wave.mean(1), RATE, rate))
    return np.concatenate([found.mean(0), found.std(0)])


def mfcc(wave: Array) -> Array:
    """Mel-frequency cepstral coefficients of each frame; the first says how loud it is."""
    wave = np.pad(wave, (0, max(0, FRAME - len(wave))))
    frames = np.lib.stride_tricks.sliding_window_view(wave, FRAME)[::HOP] * np.hanning(FRAME)
    power = np.abs(np.fft.rfft(frames, 512)) ** 2
    corners = 700 * np.expm1(np.linspace(0, np.log1p(RATE / 2 / 700), BANDS + 2))  # Hz, evenly spaced in mel
    rising = (np.fft.rfftfreq(512, 1 / RATE)[:, None] - corners[:-1]) / np.diff(corners)
    bands = np.clip(np.minimum(rising[:, :-1], 1 - rising[:, 1:]), 0, None)
    return np.asarray(dct(np.log(power @ bands + 1e-12), norm="ortho")[:, :KEPT])


def random_splits(table: pd.DataFrame, number: int = 5) -> list[dict[str, list[str]]]:
    """Random splits by SHARES, in which a group never spans two parts: each in turn goes where most is lacking."""
    groups: dict[str, list[str]] = {}
    for name, group in zip(table.index, table.get("group", table.index), strict=True):
        groups.setdefault(group or f"alone {name}", []).append(name)
    splits = []
    for seed in range(number):
        split: dict[str, list[str]] = {part: [] for part in SHARES}
        for k in np.random.default_rng(seed).permutation(len(groups)):
            lacks = Counter({part: share * len(table) - len(split[part]) for part, share in SHARES.items()})
            split[lacks.most_common(1)[0][0]] += list(groups.values())[k]
        splits.append(split)
    return splits


def main(manifests: Sequence[str]) -> None:
    for manifest in manifests:
        began = time.monotonic()
        table, views = read(Path(manifest))
        with threadpool_limits(1):
            found = pd.DataFrame([accuracies(table["label"], views, split) for split in random_splits(table)])
        print(manifest, ", ".join(f"{name} {found[name].mean():.3f} ± {found[name].std():.3f}" for name in found),
              f"({time.monotonic() - began:.0f} s)")


if __name__ == "__main__":
    main(sys.argv[1:])
