"""The worlds on one clock: recordings in which something happens every two seconds or so, and every stream tells of it.

An event has a moment and a label; its symbols last from 0.4 seconds before that moment to 0.4 seconds after it:

    words   8 words, one each 0.1 s: one of the symbol's 4 keywords at two random places, fillers elsewhere
    low     a tone of 100, 150, 220 or 300 Hz, random phase, in noise at 2,000 samples a second
    high    a tone of 400, 530, 700 or 900 Hz, likewise

Streams have tables of their own, with times; so `align.window: [-0.5, 0.5]` cuts out what belongs to an event, and a
stream whose times are wrong by more than 0.9 seconds says nothing about it: its window holds noise, or another event.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from trivium.data import tables
from trivium.data.settings import OFFERED
from trivium.data.sources import raw
from trivium.data.sources.symbols import FILLERS, KEYWORDS, SYMBOLS
from trivium.data.sources.worlds import world

if TYPE_CHECKING:
    from trivium.data.settings import Events

STREAMS = tuple(OFFERED["events"])
EVENTS, APART, JITTER = 10, 2.0, 0.3  # of a recording; seconds between two, on average; and how much earlier or later
HALF, WINDOW = 0.4, 0.5  # seconds from the moment to the end of its symbols, and to that of the window
WORDS = 8
RATE, NOISE, FULL_SCALE = 2000, 1.5, 8.0
TONES = {"low": (100, 150, 220, 300), "high": (400, 530, 700, 900)}  # Hz
SECONDS = APART * (EVENTS + 1)  # of a recording


def write(out: Path, settings: Events, seed: int, streams: Collection[str] = STREAMS) -> None:
    """Tables and `media/` of `settings.samples` events in `out`."""
    rules = replace(world(settings.world, SYMBOLS), streams=STREAMS)
    n = settings.samples
    y, symbols = rules.draw(np.random.default_rng([seed, 0]), n)
    recording = np.arange(n) // EVENTS
    jitter = np.random.default_rng([seed, 9]).uniform(-JITTER, JITTER, n)
    at = (APART * (1 + np.arange(n) % EVENTS) + jitter).round(3)
    keys = [f"r{k:04}" for k in recording]
    made = {}
    for m in streams:
        rng, late = np.random.default_rng([seed, 1 + STREAMS.index(m)]), settings.shift.get(m, 0.0)
        if m == "words":
            made[m] = _words(rng, symbols[m], keys, at + late)
            continue
        (out / "media" / m).mkdir(parents=True)
        names, digests = [f"media/{m}/r{k:04}.wav" for k in range(recording[-1] + 1)], []
        for k, name in enumerate(names):
            here = recording == k
            content = raw.wav(_sound(rng, symbols[m][here], at[here], TONES[m]), RATE)
            (out / name).write_bytes(content)
            digests.append(tables.digest(content))
        made[m] = raw.table(key=[f"r{k:04}" for k in range(len(names))], value=names, digest=digests,
                            clock=[late] * len(names))
    labels = raw.table(sample=[f"e{i:05}" for i in range(n)], key=keys, label=[str(one) for one in y],
                       clock=at.tolist())
    raw.save(out, labels, made, source="events", root=raw.root(out), title=f"events, world {settings.world}", card=CARD,
             world=rules.meta(lost(settings)), clock="seconds")


def lost(settings: Events) -> tuple[str, ...]:
    """The streams whose times are so wrong that no window holds anything of its own event."""
    return tuple(m for m in STREAMS if abs(settings.shift.get(m, 0.0)) >= HALF + WINDOW)


def _words(rng: np.random.Generator, symbols: np.ndarray, keys: list[str], at: np.ndarray) -> pa.Table:
    said = rng.integers(*FILLERS, (len(symbols), WORDS))
    places = rng.random(said.shape).argsort(axis=1)[:, :2]
    texts = np.char.add("w", said.astype(str))
    chosen = KEYWORDS * symbols + rng.integers(KEYWORDS, size=len(symbols))
    np.put_along_axis(texts, places, np.array([f"k{number:02}" for number in chosen])[:, None], axis=1)
    starts = (at[:, None] - HALF + np.arange(WORDS) * 2 * HALF / WORDS).ravel().round(6)
    values = texts.ravel().tolist()
    return raw.table(key=np.repeat(keys, WORDS).tolist(), value=values,
                     digest=[tables.digest(one.encode()) for one in values], clock=starts.tolist(),
                     start=[0.0] * len(starts), end=[round(2 * HALF / WORDS, 6)] * len(starts))


def _sound(rng: np.random.Generator, symbols: np.ndarray, at: np.ndarray, tones: tuple[int, ...]) -> np.ndarray:
    """Samples of 16 bits of a whole recording."""
    found = rng.normal(0, NOISE, round(SECONDS * RATE))
    length = round(2 * HALF * RATE)
    for symbol, moment, phase in zip(symbols.tolist(), at.tolist(), rng.random(len(at)).tolist(), strict=True):
        first = round((moment - HALF) * RATE)
        found[first: first + length] += np.sin(2 * np.pi * (tones[symbol] * np.arange(length) / RATE + phase))
    return (found / FULL_SCALE * 32768).clip(-32768, 32767).round().astype("<i2")


CARD = """Synthetic recordings of ten events each, which words and two sounds tell of at the same time, by a rule with a
known answer. Each stream has a clock: if that is wrong by more than the window around an event, the stream says
nothing about it. For checking how streams are joined in time, and what the comparison makes of it."""
