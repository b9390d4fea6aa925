"""Whether an exported folder says what the trained model says, on real rows: raw values in, answers out, twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from trivium.data import tables
from trivium.data.meta import Meta
from trivium.runtime.answering import Answering
from trivium.runtime.values import TIMES
from trivium.serving.export.record import Smoke
from trivium.settings.errors import UserError

ROWS, MOST = 32, 1e-5


def check(exported: Answering, trained: Answering, root: Path, seed: int) -> Smoke:
    """Compare both on `ROWS` rows of the test set of `seed`. Raises: UserError (they differ by more than `MOST`)."""
    rows, media = real(root, trained.streams, seed)
    found, other = exported.answers(rows, media), trained.answers(rows, media)
    if rows and all(other[2]):
        raise UserError(f"The exported model cannot be checked, since no row of the test set can be read: the "
                        f"{other[2][0]}. `dvc checkout` brings back what DVC keeps of the data.")
    if found[1:] != other[1:]:
        raise UserError("The exported model and the trained one do not warn of the same rows: do not serve it, and "
                        "take the MLflow model instead (docs/using-the-model.md).")
    gap = difference(found[0], other[0])
    if not gap <= MOST:
        raise UserError(f"The exported model differs from the trained one by {gap:.1e}, where {MOST:.0e} is rounding: "
                        "do not serve it, and take the MLflow model instead (docs/using-the-model.md).")
    return Smoke(rows=len(rows), difference=float(f"{gap:.1e}"))


def difference(found: np.ndarray, other: np.ndarray) -> float:
    """The largest between stored answers [B, A]; of numbers above 1, as a share of them. What neither answers counts
    for nothing; what one alone does, without end.
    """
    if (np.isnan(found) != np.isnan(other)).any():
        return np.inf
    gaps = np.abs(found - other) / np.maximum(1, np.abs(other))
    return float(np.nan_to_num(gaps).max(initial=0.0))


def real(root: Path, streams: dict[str, str], seed: int, count: int = ROWS, part: str = "test",
         spread: bool = False) -> tuple[list[dict[str, Any]], Path]:
    """The first `count` rows of a split as they were read, and the folder that their paths are relative to.

    part: the split, test, train or val;  spread: instead, rows from the whole of it, since files may be sorted
    """
    meta = Meta.read(root / "data/aligned/meta.json")
    table = tables.read(root / "data/aligned/samples.parquet")
    splits = tables.read(root / "data/splits/splits.parquet")
    tested = splits.filter(pc.equal(splits[f"seed_{seed}"], part))["sample"]
    table = table.filter(pc.is_in(table["sample"], tested.combine_chunks()))
    step = max(1, -(-table.num_rows // count)) if spread else 1
    table = table.take(list(range(0, table.num_rows, step))[:count])
    rows = []
    for row in table.to_pylist():
        rows.append(raw(row, streams))
    return rows, root / meta.root


def raw(row: Mapping[str, Any], streams: Iterable[str]) -> dict[str, Any]:
    """Of a row of data/aligned/samples.parquet, what `Answering` reads."""
    there = [s for s in streams if row[f"has_{s}"]]
    spans = {name: row[name] for s in there for name in (f"{s}_{key}" for key in TIMES) if row[name] is not None}
    return {s: row[s] if s in there else None for s in streams} | spans
