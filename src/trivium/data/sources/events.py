"""The worlds on one clock: recordings in which something happens every two seconds or so, and every stream tells of it.

An event has a moment and a label; its symbols last from 0.4 seconds before that moment to 0.4 seconds after it:

    series  two channels, 50 points a second: waves of 4 or 8 Hz, in one a quarter of a turn ahead of the other
    video   10 frames a second: a template of 16x16 pixels, which is the same each time
    sound   2,000 samples a second: a tone of 150, 280, 500 or 850 Hz

Where waves and tones begin is random, and there is normal noise on all, all the time. Streams have tables of
their own, with times; so `align.window: [-0.5, 0.5]` cuts out what belongs to an event, and a stream whose times are
wrong by 0.9 seconds or more says nothing about it: its window holds noise, or another event.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trivium.data import tables
from trivium.data.settings import OFFERED
from trivium.data.sources import raw
from trivium.data.sources.worlds import world
from trivium.modalities.recordings.written import content

if TYPE_CHECKING:
    from trivium.data.settings import Events

STREAMS = tuple(OFFERED["events"])
SYMBOLS = 4
EVENTS, APART, JITTER = 10, 2.0, 0.3  # of a recording; seconds between two, on average; and how much earlier or later
HALF, WINDOW = 0.4, 0.5  # seconds from the moment to the end of its symbols, and to that of the window
SECONDS = APART * (EVENTS + 1)  # of a recording
RATE = {"series": 50, "video": 10, "sound": 2000}  # points, frames, samples a second
CHANNELS, HERTZ, SWING = ("left", "right"), (4.0, 8.0), 1.5  # of the series; its noise is N(0, 1)
SIDE, GREYS, GRAIN = 16, 8.0, 2.5  # pixels; grey levels of a template's deviation; that of the noise, in these
TONES, NOISE, FULL_SCALE = (150, 280, 500, 850), 1.5, 8.0  # Hz; of a tone of 1


def write(out: Path, settings: Events, seed: int, streams: Collection[str] = STREAMS) -> None:
    """Tables and `media/` of `settings.samples` events in `out`."""
    rules = replace(world(settings.world, SYMBOLS), streams=STREAMS)
    n = settings.samples
    y, symbols = rules.draw(np.random.default_rng([seed, 0]), n)
    recording = np.arange(n) // EVENTS
    jitter = np.random.default_rng([seed, 9]).uniform(-JITTER, JITTER, n)
    at = (APART * (1 + np.arange(n) % EVENTS) + jitter).round(3)
    keys = [f"r{k:04}" for k in range(recording[-1] + 1)]
    made = {}
    for m in streams:
        rng = np.random.default_rng([seed, 1 + STREAMS.index(m)])
        (out / "media" / m).mkdir(parents=True)
        draw, ending = DRAWN[m]
        names, digests = [f"media/{m}/{key}.{ending}" for key in keys], []
        for k, name in enumerate(names):
            here = recording == k
            file = draw(rng, symbols[m][here], at[here])
            (out / name).write_bytes(file)
            digests.append(tables.digest(file))
        made[m] = raw.table(key=keys, value=names, digest=digests, clock=[settings.shift.get(m, 0.0)] * len(names))
    labels = raw.table(sample=[f"e{i:05}" for i in range(n)], key=[keys[k] for k in recording],
                       label=[str(one) for one in y], clock=at.tolist())
    raw.save(out, labels, made, source="events", root=raw.root(out), title=f"events, world {settings.world}", card=CARD,
             world=rules.meta(lost(settings)), clock="seconds")


def lost(settings: Events) -> tuple[str, ...]:
    """The streams whose times are so wrong that no window holds anything of its own event."""
    return tuple(m for m in STREAMS if abs(settings.shift.get(m, 0.0)) >= HALF + WINDOW)


def _series(rng: np.random.Generator, symbols: np.ndarray, at: np.ndarray) -> bytes:
    """The file of a whole recording. symbols, at: of its events; so for the others."""
    found = rng.normal(0, 1, (len(CHANNELS), round(SECONDS * RATE["series"])))
    seconds = np.arange(found.shape[1]) / RATE["series"]
    for symbol, moment, phase in zip(symbols.tolist(), at.tolist(), rng.random(len(at)).tolist(), strict=True):
        ahead = np.array([[0.0], [0.25 if symbol % 2 == 0 else -0.25]])
        waves = SWING * np.sin(2 * np.pi * (HERTZ[symbol // 2] * seconds + phase + ahead))
        found += np.where(np.abs(seconds - moment) <= HALF, waves, 0)
    return content(dict(zip(CHANNELS, found.astype(np.float32), strict=True)), RATE["series"])


def _video(rng: np.random.Generator, symbols: np.ndarray, at: np.ndarray) -> bytes:
    found = rng.normal(0, GRAIN, (round(SECONDS * RATE["video"]), SIDE, SIDE))
    seconds = (np.arange(len(found)) + 0.5) / RATE["video"]
    templates = np.random.default_rng(16).normal(size=(SYMBOLS, SIDE, SIDE))
    for symbol, moment in zip(symbols.tolist(), at.tolist(), strict=True):
        found[np.abs(seconds - moment) <= HALF] += templates[symbol]
    return raw.mp4((128 + GREYS * found).clip(0, 255).round().astype(np.uint8), RATE["video"])


def _sound(rng: np.random.Generator, symbols: np.ndarray, at: np.ndarray) -> bytes:
    found = rng.normal(0, NOISE, round(SECONDS * RATE["sound"]))
    length = round(2 * HALF * RATE["sound"])
    for symbol, moment, phase in zip(symbols.tolist(), at.tolist(), rng.random(len(at)).tolist(), strict=True):
        first = round((moment - HALF) * RATE["sound"])
        turns = TONES[symbol] * np.arange(length) / RATE["sound"] + phase
        found[first: first + length] += np.sin(2 * np.pi * turns)
    return raw.wav((found / FULL_SCALE * 32768).clip(-32768, 32767).round(), RATE["sound"])


DRAWN: dict[str, tuple[Callable[[np.random.Generator, np.ndarray, np.ndarray], bytes], str]] = {
    "series": (_series, "arrow"), "video": (_video, "mp4"), "sound": (_sound, "wav")}

CARD = """Synthetic recordings of ten events each, which a series, a video and a sound tell of at the same time, by a
rule with a known answer. Each stream has a clock: if that is wrong by more than the window around an event, the stream
says nothing about it. For checking how streams are joined in time, and what the comparison makes of it."""
