"""Columns of a table that hold the answer: each is asked alone, as a decision stump with many steps would be.

What train says most often of a category, or of a 64th of a number's values, is guessed on validation; where numbers are
to be told, its mean. A column that is hardly ever wrong, where the most usual label is often wrong, was as good as
copied from the label, or became known with it: no model is needed, and none is compared.

Legend: `N` rows, `K` columns as models see them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

STEPS = 64  # of a number
RIGHT = 0.98  # share of validation that such a column gets right, or of the variance that it explains, at least
LEFT = 0.2  # of the errors of always the most usual label, at most


def columns(path: Path, name: str, parts: Sequence[tuple[str, int]], train: np.ndarray, val: np.ndarray, y: np.ndarray,
            ) -> list[dict[str, Any]]:
    """Those of the `parts` (name and codes, see `Spec.columns`) that hold the answer: {"column", "right", "usual"},
    shares of validation; of numbers {"column", "explained"}, a share of the variance (R²).

    path, name: an `x.arrow` and its column;  train, val: int64, ascending, rows that have the stream;  y: by row,
    classes int64 or numbers float64
    """
    if not len(train) or not len(val):
        return []
    ask, found = _explained if y.dtype.kind == "f" else _guessed, list[dict[str, Any]]()
    for k, (column, codes) in enumerate(parts):  # one at a time: there may be ten million rows
        places = _places(_cells(path, name, k, train), _cells(path, name, k, val), codes)
        if told := ask(*places, y[train], y[val]):
            found.append({"column": column} | {key: round(value, 6) for key, value in told.items()})
    return found


def _cells(path: Path, name: str, k: int, rows: np.ndarray) -> np.ndarray:
    """float32 [N, 2]: number and code of the part `k`. Read, not mapped, so that no more than a batch is held."""
    found, start = np.empty((len(rows), 2), np.float32), 0
    with pa.OSFile(str(path)) as file:
        own = pa.ipc.open_file(file).schema.get_field_index(name)
        reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=[own]))
        for i in range(reader.num_record_batches):
            batch = reader.get_batch(i).column(0)
            low, high = np.searchsorted(rows, [start, start + len(batch)])
            x = batch.flatten().to_numpy().reshape(len(batch), -1, 2)
            found[low:high] = x[rows[low:high] - start, k]
            start += len(batch)
    return found


def _guessed(place: np.ndarray, place_val: np.ndarray, y: np.ndarray, y_val: np.ndarray) -> dict[str, float]:
    usual = int(np.bincount(y).argmax())
    constant = float((y_val == usual).mean())
    right = float((_majority(place, y, usual, int(max(place.max(), place_val.max())))[place_val] == y_val).mean())
    return {"right": right, "usual": constant} if right >= RIGHT and 1 - right <= LEFT * (1 - constant) else {}


def _explained(place: np.ndarray, place_val: np.ndarray, y: np.ndarray, y_val: np.ndarray) -> dict[str, float]:
    spread, most = np.square(y_val - y_val.mean()).sum(), 1 + int(max(place.max(), place_val.max()))
    count, total = np.bincount(place, minlength=most), np.bincount(place, y, most)
    mean = np.where(count > 0, total / np.maximum(count, 1), y.mean())
    explained = float(1 - np.square(y_val - mean[place_val]).sum() / spread) if spread > 0 else 0.0
    return {"explained": explained} if explained >= RIGHT else {}


def _places(x: np.ndarray, unseen: np.ndarray, codes: int) -> tuple[np.ndarray, np.ndarray]:
    """int64 [N] of train and validation: the category, or the step of a number; 0 where it is missing."""
    if codes > 2:
        return x[:, 1].astype(np.int64), unseen[:, 1].astype(np.int64)
    there = x[:, 0][x[:, 1] > 0]
    edges = np.unique(np.quantile(there, np.linspace(0, 1, STEPS + 1)[1:-1])) if len(there) else np.zeros(0)
    return tuple(np.where(part[:, 1] > 0, 1 + np.searchsorted(edges, part[:, 0]), 0)  # type: ignore[return-value]
                 for part in (x, unseen))


def _majority(place: np.ndarray, y: np.ndarray, usual: int, most: int) -> np.ndarray:
    """int64 [most + 1]: the class that train has most often at each place, `usual` where it has none."""
    classes = int(y.max()) + 1
    pairs, counts = np.unique(place * classes + y, return_counts=True)
    places, said = np.divmod(pairs, classes)
    order = np.lexsort((-said, counts))  # the last one of a place stays: the most often, of equals the first
    found = np.full(most + 1, usual)
    found[places[order]] = said[order]
    return found


def said(stream: str, found: dict[str, Any]) -> str:
    """A sentence."""
    by = (f"{found['right']:.1%} of validation are right by it alone, {found['usual']:.1%} by the most usual label"
          if "right" in found else f"it alone explains {found['explained']:.1%} of the variance on validation")
    return (f"the column `{found['column']}` of {stream} tells the label by itself: {by}. If it only became known with "
            f"the label, or is made of it, leave it out (`data.streams.{stream}.columns`).")
