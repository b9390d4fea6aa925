"""A stream of tables as tensors: all rows of a column at once, nothing row by row. See `tensors`.

Legend: `B` rows of a piece, `S` seeds, `K` columns as models see them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trivium.data.arrow_file import Writer
from trivium.machine.progress import Progress
from trivium.modalities import table
from trivium.modalities.spec import STORED, Spec

if TYPE_CHECKING:
    from trivium.data.rows import Reading, Rows

PIECE = 1 << 14  # rows that are encoded at a time


def fill(rows: Rows, seen: np.ndarray, one: Reading, spec: Spec, out: Path) -> tuple[Spec, list[str], list[Any]]:
    """Write `x.arrow` and what was fitted at each seed (once for all when they may learn from the same rows).

    seen: bool [S, rows] of what each seed may learn from. Returns the spec, the column of each seed, and, of each
    column of the table, what `table.about` says of it (of the first seed's rows).
    """
    shared = bool((seen == seen[:1]).all())
    names = ["x"] if shared else [f"seed_{k}" for k in range(len(seen))]
    chosen = seen[: len(names)]
    with Progress(f"preprocess {one.stream}", rows.count, "row") as progress:
        cells = table.columns(rows.texts(PIECE))
        made, found = table.fit(cells, chosen, one.settings)
        spec = replace(found, name=spec.name, modality=spec.modality)
        for name, fitted in zip(names, made, strict=True):
            fitted.save(out / f"{name}.json")
        encoders = [fitted.prepare(cells) for fitted in made]
        with Writer(out / "x.arrow", names, 2 * spec.shape[0], STORED[spec.kind]) as writer:
            for start in range(0, rows.count, PIECE):
                piece = slice(start, min(start + PIECE, rows.count))
                x = np.stack([encode(piece) for encode in encoders], 1)
                writer.add(x.reshape(*x.shape[:2], -1))
                progress.add(len(x))
    return spec, names * len(seen) if shared else names, table.about(cells, made[0], chosen[0])
