"""The worlds with tiny synthetic signals: for tests, and for known answers.

text: 16 tokens of a vocabulary of 64, one of the symbol's 4 keywords at two random places, the others from 40-63.
image: a fixed 12 x 12 Gaussian template of the symbol + N(0, 3.5^2). audio: 128 samples of a sinusoid of 6, 9, 13 or 18
cycles, random phase, + N(0, 1.5^2). Pictures are stored with 8 bits, sounds with 16; the scale clips about 1 in 16,000.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trivium.data import tables
from trivium.data.sources import raw
from trivium.data.sources.worlds import MODALITIES, world

if TYPE_CHECKING:
    from trivium.config import Symbols

SYMBOLS = 4
TOKENS, KEYWORDS, FILLERS = 16, 4, (40, 64)  # words 4 s .. 4 s + 3 are the keywords of symbol s
SIDE, PIXEL_NOISE = 12, 3.5
SAMPLES, RATE, CYCLES, SOUND_NOISE = 128, 8000, (6, 9, 13, 18), 1.5
DEVIATIONS = 4.0  # of the noise that the stored range holds


def write(out: Path, settings: Symbols, seed: int, modalities: Sequence[str] = MODALITIES) -> None:
    """`settings.samples` samples of `settings.world` in `out`, the same bytes each time."""
    rng = np.random.default_rng([seed, 20])
    rules, count = world(settings.world, SYMBOLS), settings.samples
    y, symbols = rules.draw(rng, count)
    names = [f"s{k:06}" for k in range(count)]
    make = {"text": _texts, "image": _images, "audio": _sounds}
    written = {}
    for m in MODALITIES:  # every modality is drawn, so that leaving one out changes nothing in the others
        values = make[m](rng, symbols[m])
        if m not in modalities:
            continue
        if m == "text":
            digests = [tables.digest(value.encode()) for value in values]
        else:
            ending = {"image": "png", "audio": "wav"}[m]
            (out / "media" / m).mkdir(parents=True, exist_ok=True)
            digests = [tables.digest(content) for content in values]
            paths = [f"media/{m}/{name}.{ending}" for name in names]
            for path, content in zip(paths, values, strict=True):
                (out / path).write_bytes(content)
            values = paths
        written[m] = raw.table(key=names, value=values, digest=digests)
    labels = raw.table(sample=names, key=names, label=[f"class {k}" for k in y])
    raw.save(out, labels, written, source="symbols", root=raw.root(out), title=f"symbols, world {settings.world}",
             card="Synthetic signals of plain symbols, with a known answer; nothing natural about them.",
             world=rules.meta())


def _texts(rng: np.random.Generator, symbols: np.ndarray) -> list[str]:
    words = rng.integers(*FILLERS, (len(symbols), TOKENS))
    places = rng.random(words.shape).argsort(axis=1)[:, :2]
    keywords = symbols * KEYWORDS + rng.integers(0, KEYWORDS, len(symbols))
    np.put_along_axis(words, places, keywords[:, None], axis=1)
    return [" ".join(f"w{word:02}" for word in row) for row in words]


def _images(rng: np.random.Generator, symbols: np.ndarray) -> list[bytes]:
    from PIL import Image

    templates = np.random.default_rng(12).normal(size=(SYMBOLS, SIDE, SIDE))  # the same for every seed
    signal = templates[symbols] + rng.normal(0, PIXEL_NOISE, (len(symbols), SIDE, SIDE))
    spread = DEVIATIONS * np.hypot(1, PIXEL_NOISE)
    pixels = ((signal / spread + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
    return [_saved(lambda buffer, p=picture: Image.fromarray(p).save(buffer, "PNG")) for picture in pixels]


def _sounds(rng: np.random.Generator, symbols: np.ndarray) -> list[bytes]:
    import soundfile

    time, phase = np.arange(SAMPLES) / SAMPLES, rng.random((len(symbols), 1))
    cycles = np.array(CYCLES)[symbols][:, None]
    signal = np.sin(2 * np.pi * (cycles * time + phase)) + rng.normal(0, SOUND_NOISE, (len(symbols), SAMPLES))
    waves = (signal / (1 + DEVIATIONS * SOUND_NOISE)).clip(-1, 1).astype(np.float32)
    return [_saved(lambda buffer, w=wave: soundfile.write(buffer, w, RATE, subtype="PCM_16", format="WAV"))
            for wave in waves]


def _saved(save) -> bytes:  # type: ignore[no-untyped-def]
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()
