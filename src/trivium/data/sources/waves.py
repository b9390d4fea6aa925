"""Waves of two channels, and a text, that are related to the label by a rule with a known answer.

    series  2 s at 64 points a second: a sinusoid of 3 or 5 Hz, at a random phase, in the channels `left` and `right`,
            of which one is a quarter of a turn ahead of the other; N(0, 1) on every point, and in a third of the rows a
            run of a tenth is missing
    text    16 words: one of the symbol's 4 keywords (k00-k15) twice, fillers (w40-w63) elsewhere

A series has one of 4 symbols: how fast it is (which one channel says), and which channel is ahead (which only both say
together). The label is the symbol of the series in 9 of 10 rows, and that of the text in half of them, else drawn (see
`worlds`).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trivium.data import tables
from trivium.data.sources import raw
from trivium.data.sources.symbols import texts
from trivium.data.sources.worlds import World
from trivium.modalities.recordings.written import content

if TYPE_CHECKING:
    from trivium.data.settings import Waves

SYMBOLS = 4
KNOWN, HINT = 0.9, 0.5  # r of the series and of the text, see `worlds`
HERTZ, RATE, POINTS, NOISE = (3.0, 5.0), 64.0, 128, 1.0
GAPS, GAP = 1 / 3, 0.1  # share of the rows with a gap; of its points


def world() -> World:
    series, text = (r * np.eye(SYMBOLS) + (1 - r) / SYMBOLS for r in (KNOWN, HINT))
    return World("waves", np.einsum("ys,yt->yst", series, text) / SYMBOLS, ("series", "text"))


def write(out: Path, settings: Waves, seed: int, streams: Collection[str] = ("series", "text")) -> None:
    """Tables and `media/` of `settings.samples` samples in `out`."""
    rules, n = world(), settings.samples
    y, symbols = rules.draw(np.random.default_rng([seed, 0]), n)
    keys = [f"w{i:06}" for i in range(n)]
    made = {}
    if "series" in streams:
        folder = "media/series"
        (out / folder).mkdir(parents=True)
        files = [content({"left": left, "right": right}, RATE)
                 for left, right in waves(np.random.default_rng([seed, 1]), symbols["series"])]
        names = [f"{folder}/{key}.arrow" for key in keys]
        for name, file in zip(names, files, strict=True):
            (out / name).write_bytes(file)
        made["series"] = raw.table(key=keys, value=names, digest=[tables.digest(file) for file in files])
    if "text" in streams:
        said = texts(np.random.default_rng([seed, 2]), symbols["text"])
        made["text"] = raw.table(key=keys, value=said, digest=[tables.digest(text.encode()) for text in said])
    raw.save(out, raw.table(sample=keys, key=keys, label=[str(label) for label in y]), made, source="waves",
             root=raw.root(out), title="waves", card=CARD, world=rules.meta())


def waves(rng: np.random.Generator, symbols: np.ndarray) -> np.ndarray:
    """float32 [n, 2, 128], NaN in gaps, see above."""
    n = len(symbols)
    turns = np.array(HERTZ)[symbols // 2, None] * np.arange(POINTS) / RATE + rng.random((n, 1))
    ahead = np.where(symbols % 2 == 0, 0.25, -0.25)[:, None]
    made = np.sin(2 * np.pi * np.stack([turns, turns + ahead], 1)) + rng.normal(0, NOISE, (n, 2, POINTS))
    size = round(GAP * POINTS)
    begins = rng.integers(0, POINTS - size, n)
    for k in np.flatnonzero(rng.random(n) < GAPS):
        made[k, :, begins[k]: begins[k] + size] = np.nan
    return made.astype(np.float32)


CARD = """Made-up waves of two channels, with gaps, each with a text, that are related to the label by a rule with a
known answer: how fast the wave is, and which channel is ahead. For tests and for checking the comparison itself: what
wins here says nothing about real data, except that the machinery can tell."""
