"""The worlds with tiny synthetic signals: about a second for thousands of rows, and answers that are known.

    text    16 tokens: one of the symbol's 4 keywords (k00-k15) at two random places, fillers (w40-w63) elsewhere
    image   12x12 grey levels: a fixed Gaussian template of the symbol + N(0, 3.5^2)
    audio   128 samples at 8 kHz: a sinusoid of 6, 9, 13 or 18 cycles, random phase, + N(0, 1.5^2)

Samples are independent, so there are no groups.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trivium.data import tables
from trivium.data.settings import STREAMS
from trivium.data.sources import raw
from trivium.data.sources.worlds import world

if TYPE_CHECKING:
    from trivium.data.settings import Symbols

SYMBOLS = 4
TOKENS, KEYWORDS, FILLERS = 16, 4, (40, 64)
SIDE, PIXEL_NOISE, GREY = 12, 3.5, 8.0  # pixels; of the template's deviation; grey levels per unit, clips 1 in 100,000
CYCLES, SAMPLES, RATE, NOISE, FULL_SCALE = (6, 9, 13, 18), 128, 8000, 1.5, 8.0  # full scale clips 1 in a million


def write(out: Path, settings: Symbols, seed: int, streams: Collection[str] = STREAMS) -> None:
    """Tables and `media/` of `settings.samples` samples in `out`."""
    rules = world(settings.world, SYMBOLS)
    n = settings.samples
    y, symbols = rules.draw(np.random.default_rng([seed, 0]), n)
    keys = [f"s{i:05}" for i in range(n)]
    render: dict[str, Callable] = {"text": texts, "image": pictures, "audio": sounds}
    written: dict[str, Callable] = {"text": str, "image": raw.png, "audio": partial(raw.wav, rate=RATE)}
    made = {}
    for m in streams:
        drawn = render[m](np.random.default_rng([seed, 1 + STREAMS.index(m)]), symbols[m])
        contents = [written[m](one) for one in drawn]
        values = contents if m == "text" else _store(out, m, keys, contents)
        made[m] = raw.table(key=keys, value=values, digest=[tables.digest(_bytes(content)) for content in contents])
    raw.save(out, raw.table(sample=keys, key=keys, label=[str(label) for label in y]), made, source="symbols",
             root=raw.root(out), title=f"symbols, world {settings.world}", card=CARD, world=rules.meta())


def texts(rng: np.random.Generator, symbols: np.ndarray) -> list[str]:
    """16 words per symbol, see above."""
    n = len(symbols)
    fillers = rng.integers(*FILLERS, (n, TOKENS))
    places = rng.random((n, TOKENS)).argsort(axis=1)[:, :2]
    keywords = KEYWORDS * symbols + rng.integers(KEYWORDS, size=n)
    rows = [[f"w{number:02}" for number in row] for row in fillers]
    for row, keyword, pair in zip(rows, keywords, places, strict=True):
        for place in pair:
            row[place] = f"k{keyword:02}"
    return [" ".join(row) for row in rows]


def pictures(rng: np.random.Generator, symbols: np.ndarray) -> np.ndarray:
    """Grey levels, uint8 [n, 12, 12], see above."""
    templates = np.random.default_rng(12).normal(size=(SYMBOLS, SIDE, SIDE))
    values = templates[symbols] + rng.normal(0, PIXEL_NOISE, (len(symbols), SIDE, SIDE))
    return (128 + GREY * values).clip(0, 255).round().astype(np.uint8)


def sounds(rng: np.random.Generator, symbols: np.ndarray) -> np.ndarray:
    """Samples of 16 bits, [n, 128], see above."""
    turns = np.array(CYCLES)[symbols, None] * np.arange(SAMPLES) / SAMPLES + rng.random((len(symbols), 1))
    waves = np.sin(2 * np.pi * turns) + rng.normal(0, NOISE, turns.shape)
    return (waves / FULL_SCALE * 32768).clip(-32768, 32767).round().astype("<i2")


def _store(out: Path, stream: str, keys: list[str], contents: list[bytes]) -> list[str]:
    folder = f"media/{stream}"
    (out / folder).mkdir(parents=True)
    names = [f"{folder}/{key}.{'png' if stream == 'image' else 'wav'}" for key in keys]
    for name, content in zip(names, contents, strict=True):
        (out / name).write_bytes(content)
    return names


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


CARD = """Synthetic signals that are related to the label by a rule with a known answer: a keyword among 16 tokens, a
template in a 12x12 picture, a tone in 128 samples, each deep in noise. For tests and for checking the comparison
itself: what wins here says nothing about real data, except that the machinery can tell."""
