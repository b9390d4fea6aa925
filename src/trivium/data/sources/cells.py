"""A table and a text whose best answer is known, and which of its models can find it.

    facts   size        a number, N(50, 15^2); what counts is whether it is above 50
            kind        flat | house | loft | barn; what counts is whether it is one of the first two
            built       a date of 1990 to 2019
            sunny       yes | no
            rooms       1 to 6
            distance    a number, missing in half of the rows
    text    16 words: one of the 4 keywords of a symbol (k00-k07) twice, fillers (w40-w63) elsewhere

`size` and `kind` together say a symbol, their exclusive or: each alone says nothing, and a linear model of the columns
sees nothing. The other columns have nothing to do with the label. In 1 of 10 rows `kind` is missing, and the table says
nothing. The label is the symbol of the table in 9 of 10 rows, and that of the text in half of them, else drawn (see
`worlds`). A twentieth of the rows has no text.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from trivium.data import tables
from trivium.data.sources import raw
from trivium.data.sources.symbols import texts
from trivium.data.sources.worlds import World
from trivium.modalities.columns.packed import pack

if TYPE_CHECKING:
    from trivium.data.settings import Cells

KNOWN, HINT = 0.9, 0.5  # r of the table and of the text, see `worlds`
BLANK = 0.1  # share of the rows in which the table says nothing
WORDLESS = 0.05  # share of the rows without a text
KINDS = (("flat", "house"), ("loft", "barn"))
NOTHING = 2  # the symbol of a stream that says nothing


def world() -> World:
    """Label 0 or 1; symbols 0, 1 and `NOTHING` of the text and of the table."""
    text, facts = (np.concatenate([(1 - lost) * (r * np.eye(2) + (1 - r) / 2), np.full((2, 1), lost)], 1)
                   for r, lost in ((HINT, WORDLESS), (KNOWN, BLANK)))
    return World("interaction", np.einsum("yt,yf->ytf", text, facts) / 2, ("text", "facts"))


def write(out: Path, settings: Cells, seed: int, streams: Collection[str] = ("text", "facts")) -> None:
    """Tables of `settings.samples` samples in `out`."""
    rules, n = world(), settings.samples
    y, symbols = rules.draw(np.random.default_rng([seed, 0]), n)
    keys = pa.array([f"c{i:06}" for i in range(n)])
    made = {}
    if "text" in streams:
        said = texts(np.random.default_rng([seed, 1]), symbols["text"])
        there = symbols["text"] != NOTHING
        values = [text for text, seen in zip(said, there.tolist(), strict=True) if seen]
        made["text"] = raw.table(key=keys.filter(pa.array(there)), value=values,
                                 digest=[tables.digest(text.encode()) for text in values])
    if "facts" in streams:
        facts = pack(_facts(np.random.default_rng([seed, 2]), symbols["facts"]))
        made["facts"] = pa.table({"key": keys, "value": facts, "digest": pa.nulls(n, pa.string())})
    raw.save(out, raw.table(sample=keys, key=keys, label=["low" if label == 0 else "high" for label in y.tolist()]),
             made, source="cells", root=raw.root(out), title="cells, world interaction", card=CARD, world=rules.meta())


def _facts(rng: np.random.Generator, symbols: np.ndarray) -> dict[str, pa.ChunkedArray]:
    n = len(symbols)
    size = np.round(rng.normal(50, 15, n), 2)
    large = size > 50
    first = np.where(symbols == NOTHING, rng.integers(2, size=n), large ^ (symbols == 1)).astype(np.int64)
    kind = np.array(KINDS)[first, rng.integers(2, size=n)]
    begin = date(1990, 1, 1)
    distance = np.round(rng.exponential(3, n), 3)
    columns = {
        "size": pa.array([f"{value:.2f}" for value in size.tolist()]),
        "kind": pa.array(kind.tolist(), mask=symbols == NOTHING),
        "built": pa.array([(begin + timedelta(days=k)).isoformat() for k in rng.integers(10_957, size=n).tolist()]),
        "sunny": pa.array(np.array(["no", "yes"])[rng.integers(2, size=n)].tolist()),
        "rooms": pa.array([str(k) for k in rng.integers(1, 7, size=n).tolist()]),
        "distance": pa.array([str(value) for value in distance.tolist()], mask=rng.random(n) < 0.5),
    }
    return {name: pa.chunked_array([column]) for name, column in columns.items()}


CARD = """A made-up table of houses, each with a text, that is related to the label by a rule with a known answer:
whether the size is above 50, and whether the kind is one of two, say it together, and neither says anything alone. For
tests and for checking the comparison itself: what wins here says nothing about real data, except that the machinery can
tell."""
