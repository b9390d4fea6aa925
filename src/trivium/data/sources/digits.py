"""Three real signals of one digit each, related to the label by a world: handwriting, speech, number words.

Handwriting samples and voices are dealt into POOLS disjoint pools, and a sample is made wholly within one pool, its
`group`: however a split is drawn, nobody is tested on a hand or a voice that was trained on. Languages are shared by
all pools, since a language that was never seen cannot be read.
"""

from __future__ import annotations

import io
import multiprocessing
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trivium.data import tables
from trivium.data.settings import STREAMS
from trivium.data.sources import raw, speech, words
from trivium.data.sources.worlds import world
from trivium.machine.progress import track
from trivium.machine.workers import cores, processes

if TYPE_CHECKING:
    from trivium.data.settings import Digits

POOLS = 20
SIDE = 32  # pixels
RATE = 16_000  # samples per second of the recordings

# How hard it is; ranges are drawn uniformly per sample.
TYPOS = (0.0, 0.4)  # probability that a letter is hit
GLYPH = (18, 28)  # pixels, side of the 8x8 handwriting after scaling
TURN = 15  # degrees, to either side
PIXEL_NOISE = (10, 40)  # grey levels of 255, standard deviation
OCCLUSION = (0, 12)  # pixels, sides of a rectangle that hides a part
SPEED = (140, 240)  # words per minute
PITCH = (20, 80)  # 0-100
SNR = (6.0, 24.0)  # decibels, speech over noise
NOISE_COLOUR = (0.0, 1.2)  # amplitude falls as frequency to this power: 0 white, 1 brown
SECONDS = (0.6, 0.9)  # length of a recording, unless the word is longer
LEVEL = 0.02  # root mean square of the speech, full scale 1


class Pool(NamedTuple):
    """What one process needs to make one pool."""

    number: int
    out: Path
    settings: Digits
    seed: int
    streams: tuple[str, ...]
    glyphs: list[np.ndarray]  # per digit: float [samples, 8, 8], 0-16
    voices: list[str]


def write(out: Path, settings: Digits, seed: int, streams: Collection[str] = STREAMS) -> None:
    """Tables and `media/` of `settings.samples` samples in `out`; the same bytes whatever the number of cores.

    Raises: UserError (no synthesiser).
    """
    for m in streams:
        if m != "text":
            (out / "media" / m).mkdir(parents=True)
    rows = sorted(row for made in _spread(_pools(out, settings, seed, streams)) for row in made)
    keys, labels, groups, languages, *values = zip(*rows, strict=True)
    raw.save(out, raw.table(sample=keys, key=keys, label=labels, group=groups, language=languages),
             {m: raw.table(key=keys, value=[value for value, _ in cells], digest=[digest for _, digest in cells])
              for m, cells in zip(streams, values, strict=True)},
             source="digits", root=raw.root(out), title=f"digits, world {settings.world}", card=CARD,
             world=world(settings.world, 10).meta())


def _pools(out: Path, settings: Digits, seed: int, streams: Collection[str]) -> list[Pool]:
    from sklearn.datasets import load_digits

    handwriting = load_digits()
    # Neighbours in the original order come from the same writer, and neighbours in the list of voices are relatives:
    # contiguous parts keep both within a pool.
    glyphs = [np.array_split(handwriting.images[handwriting.target == digit], POOLS) for digit in range(10)]
    voices = np.array_split(speech.voices(), POOLS)
    return [Pool(k, out, settings, seed, tuple(streams), [parts[k] for parts in glyphs], voices[k].tolist())
            for k in range(POOLS)]


def _spread(pools: list[Pool]) -> Iterator[list[tuple]]:
    """`_make` of every pool, each in a fresh process, since the synthesiser keeps state (see speech.py)."""
    multiprocessing.set_forkserver_preload([__name__, "soundfile", "PIL.PngImagePlugin"])

    def make(pool: Pool) -> list[tuple]:
        with processes(1, clean=True, begin=None) as run:
            return next(run(_make, [pool]))[1]

    with ThreadPoolExecutor(cores()) as threads:
        yield from track(threads.map(make, pools), "drawing, speaking and writing digits", len(pools), "pool")


def _make(pool: Pool) -> list[tuple]:
    """The rows of one pool: key, label, group, language, then (value, digest) of each stream."""
    rules = world(pool.settings.world, 10)
    n = len(range(pool.number, pool.settings.samples, POOLS))
    y, symbols = rules.draw(np.random.default_rng([pool.seed, pool.number]), n)
    speaker = speech.Speaker() if "audio" in pool.streams else None
    rows = []
    for j in range(n):
        key = f"d{j * POOLS + pool.number:05}"
        language = words.LANGUAGES[np.random.default_rng([pool.seed, pool.number, j]).integers(len(words.LANGUAGES))]
        cells = []
        for m in pool.streams:
            rng = np.random.default_rng([pool.seed, pool.number, j, STREAMS.index(m)])
            digit = int(rng.choice(digits_of(symbols[m][j], rules.symbols(m))))
            if m == "text":
                value = words.phrase(rng, digit, language, rng.uniform(*TYPOS))
                content = value.encode()
            elif m == "image":
                value, content = f"media/image/{key}.png", raw.png(draw(rng, pool.glyphs[digit]))
            elif speaker:
                wave = record(rng, speaker, words.word(digit, language), language, pool.voices)
                value, content = f"media/audio/{key}.flac", flac(wave)
            if m != "text":
                (pool.out / value).write_bytes(content)
            cells.append((value, tables.digest(content)))
        rows.append((key, str(y[j]), f"pool-{pool.number:02}", language, *cells))
    return rows


def digits_of(symbol: int, symbols: int) -> list[int]:
    """The digits that stand for `symbol` of 10, of 4 (low even, low odd, high even, high odd) or of 2 (even, odd)."""
    stands_for = {10: lambda d: d, 4: lambda d: 2 * (d >= 5) + d % 2, 2: lambda d: d % 2}[symbols]
    return [digit for digit in range(10) if stands_for(digit) == symbol]


def draw(rng: np.random.Generator, glyphs: np.ndarray) -> np.ndarray:
    """One of `glyphs` [samples, 8, 8] on a canvas, moved, turned, partly hidden, noisy: uint8 [SIDE, SIDE]."""
    from PIL import Image

    glyph = Image.fromarray((glyphs[rng.integers(len(glyphs))] * (255 / 16)).astype(np.uint8))
    side = int(rng.integers(GLYPH[0], GLYPH[1] + 1))
    glyph = glyph.resize((side, side), Image.Resampling.BICUBIC)
    glyph = glyph.rotate(rng.uniform(-TURN, TURN), Image.Resampling.BILINEAR)
    canvas = np.zeros((SIDE, SIDE))
    top, left = rng.integers(0, SIDE - side + 1, 2)
    canvas[top : top + side, left : left + side] = np.asarray(glyph) * rng.uniform(0.5, 1.0)
    height, width = rng.integers(OCCLUSION[0], OCCLUSION[1] + 1, 2)
    top, left = rng.integers(0, SIDE - height + 1), rng.integers(0, SIDE - width + 1)
    canvas[top : top + height, left : left + width] = rng.uniform(0, 200)
    canvas += rng.normal(0, rng.uniform(*PIXEL_NOISE), canvas.shape) + 40
    return canvas.clip(0, 255).round().astype(np.uint8)


def record(rng: np.random.Generator, speaker: speech.Speaker, word: str, language: str,
           voices: list[str]) -> np.ndarray:
    """`word` in one of `voices` somewhere in a noisy recording: float32 [N] in -1..1 at RATE."""
    voice = voices[rng.integers(len(voices))]
    spoken = speaker.say(word, language, voice, int(rng.integers(*SPEED)), int(rng.integers(*PITCH)))
    spoken = speech.resample(speech.trim(spoken), RATE)
    n = max(int(rng.uniform(*SECONDS) * 100) * (RATE // 100), len(spoken))
    start = rng.integers(0, n - len(spoken) + 1)
    noise = coloured_noise(rng, n, rng.uniform(*NOISE_COLOUR)) * LEVEL / 10 ** (rng.uniform(*SNR) / 20)
    noise[start : start + len(spoken)] += spoken * (LEVEL / max(float(np.sqrt(np.mean(spoken**2))), 1e-6))
    return noise.clip(-1, 1)


def coloured_noise(rng: np.random.Generator, n: int, colour: float) -> np.ndarray:
    """Gaussian noise of root mean square 1 whose amplitude falls as frequency^-colour above 100 Hz: float32 [n]."""
    frequency = np.fft.rfftfreq(n, 1 / RATE)
    spectrum = np.fft.rfft(rng.normal(size=n)) / np.maximum(frequency, 100) ** colour
    noise = np.fft.irfft(spectrum, n)
    return (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)


def flac(wave: np.ndarray) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, wave, RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


CARD = """One digit per modality: real handwriting (scikit-learn's copy of the UCI optical digits, 8x8 pixels) scaled
up, moved, turned, partly hidden and noisy; speech of a synthesiser (espeak-ng) in 92 voices and six languages under
noise; the number word in a phrase with typos. A rule, the world, says how the three digits are related to the label.
They are paired by class, not by nature: nobody wrote, spoke and spelt the same digit at once. So what holds here holds
for modalities that are independent given the label, which real recordings of one event are not. Hands and voices of one
group appear in no other, so no split tests on a hand or a voice that it trained on."""
