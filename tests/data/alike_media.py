"""Pictures, texts, sounds, series and clips made from a number, and near-duplicates of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image, ImageDraw, ImageEnhance

from tests import clips

WORDS = [
    "the", "a", "small", "large", "grey", "red", "cat", "dog", "bird", "house", "river", "stone", "runs", "sleeps",
    "over", "under", "behind", "near", "quietly", "slowly", "old", "new", "garden", "street", "window", "morning",
    "evening", "after", "before", "green", "light", "dark", "water", "tree", "and", "but", "with", "without",
    "table", "chair", "child", "woman", "man", "farmer", "teacher", "bread", "milk", "train", "ship", "cloud",
    "wind", "rain", "snow", "hill", "valley"
]


def picture(i: int, side: int = 96) -> Image.Image:
    """A few ellipses and boxes in colours on a gradient."""
    rng = np.random.default_rng([i, 1])
    ramp = np.linspace(0, 1, side)[None, :, None] * rng.integers(0, 120, 3) + rng.integers(60, 130, 3)
    drawn = Image.fromarray(np.broadcast_to(ramp, (side, side, 3)).astype(np.uint8).copy())
    brush = ImageDraw.Draw(drawn)
    for _ in range(6):
        x, y = rng.integers(0, side, 2).tolist()
        w, h = rng.integers(side // 8, side // 2, 2).tolist()
        shape = brush.ellipse if rng.random() < 0.5 else brush.rectangle
        shape((x - w // 2, y - h // 2, x + w // 2, y + h // 2), fill=tuple(int(v) for v in rng.integers(0, 256, 3)))
    return drawn


def on_a_page(i: int, side: int = 96) -> Image.Image:
    """A thing of a few outlined shapes that stands on a white page."""
    rng = np.random.default_rng([i, 12])
    page = Image.new("RGB", (4 * side, 4 * side), "white")
    brush = ImageDraw.Draw(page)
    middle, reach = rng.uniform(0.35, 0.65, 2) * page.width, rng.uniform(0.12, 0.3) * page.width
    for _ in range(int(rng.integers(3, 8))):
        x, y = rng.normal(middle, reach / 2).tolist()
        w, h = (rng.uniform(0.2, 1, 2) * reach).tolist()
        shape = brush.ellipse if rng.random() < 0.5 else brush.rectangle
        shape((x - w, y - h, x + w, y + h), fill=tuple(int(v) for v in rng.integers(0, 240, 3)), outline="black",
              width=int(rng.integers(0, 12)))
    return page.resize((side, side), Image.Resampling.LANCZOS)


def as_jpeg(drawn: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    drawn.save(buffer, "jpeg", quality=quality)
    return Image.open(io.BytesIO(buffer.getvalue()))


PICTURES = {
    "JPEG, quality 30": lambda one: as_jpeg(one, 30),
    "half the size": lambda one: one.resize((one.width // 2, one.height // 2)),
    "30 % brighter": lambda one: ImageEnhance.Brightness(one).enhance(1.3),
    "30 % darker": lambda one: ImageEnhance.Brightness(one).enhance(0.7),
}


def sentence(i: int, words: int = 20) -> list[str]:
    rng = np.random.default_rng([i, 2])
    return [WORDS[k] for k in rng.integers(0, len(WORDS), words)]


def one_word(words: list[str], i: int) -> list[str]:
    rng = np.random.default_rng([i, 3])
    return [*words[: (k := int(rng.integers(len(words))))], "elephant", *words[k + 1:]]


def sound(i: int, rate: int = 16_000, seconds: float = 1.5) -> np.ndarray:
    """A melody of a few tones with overtones, each with its own loudness, and breath."""
    rng = np.random.default_rng([i, 4])
    wave, time = np.zeros(round(rate * seconds)), np.arange(round(rate * seconds)) / rate
    for _ in range(7):
        start, length, tone = rng.uniform(0, seconds - 0.2), rng.uniform(0.1, 0.5), 90 * 2 ** rng.uniform(0, 4.5)
        shape = np.clip(np.minimum(time - start, start + length - time) / 0.03, 0, 1) * rng.uniform(0.2, 1)
        wave += shape * sum(np.sin(2 * np.pi * tone * k * time) / k for k in range(1, 5))
    return 0.2 * wave / np.abs(wave).max() + 0.002 * rng.normal(size=len(wave))


def hit(i: int, rate: int = 16_000) -> np.ndarray:
    """A drum, one with snares, or a cymbal: a tone that falls, noise above some pitch, or both, dying away."""
    rng = np.random.default_rng([i, 13])
    time = np.arange(round(rate * rng.uniform(0.3, 1.2))) / rate
    pitch = rng.uniform(45, 160) * (1 + rng.uniform(0.2, 3) * np.exp(-time / rng.uniform(0.01, 0.05)))
    tone = np.sin(2 * np.pi * np.cumsum(pitch) / rate) * np.exp(-time / rng.uniform(0.05, 0.25))
    lines, above = np.fft.rfft(rng.normal(size=len(time))), rng.uniform(500, 5000)
    lines /= 1 + (above / np.maximum(np.fft.rfftfreq(len(time), 1 / rate), 1)) ** 4
    noise = np.fft.irfft(lines, len(time))
    noise *= np.exp(-time / rng.uniform(0.03, 0.4)) / np.abs(noise).max()
    wave = (tone + 0.05 * noise, rng.uniform(0.2, 0.8) * tone + noise, noise)[i % 3]
    return 0.5 * wave / np.abs(wave).max() * np.minimum(1, time / 0.001)


def noisy(wave: np.ndarray, i: int, decibels: float = 25) -> np.ndarray:
    rng = np.random.default_rng([i, 5])
    return wave + rng.normal(size=len(wave)) * np.sqrt(np.square(wave).mean()) * 10 ** (-decibels / 20)


def as_mp3(wave: np.ndarray, rate: int = 16_000) -> np.ndarray:
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, rate, format="MP3")
    return soundfile.read(io.BytesIO(buffer.getvalue()))[0]


SOUNDS = {
    "half as loud": lambda wave, i: wave / 2,
    "40 ms later": lambda wave, i: np.concatenate([np.zeros(640), wave])[: len(wave)],
    "noise at 25 dB": noisy,
    "MP3": lambda wave, i: as_mp3(wave),
}


STEPS, RATE = 500, 50.0


def steps(i: int) -> np.ndarray:
    """[STEPS, 3]: somebody who walks for ten seconds, each at a pace of his own, which is never quite the same."""
    rng, time = np.random.default_rng([i, 6]), np.arange(STEPS) / RATE
    turns = rng.uniform(1.6, 2.1) * time + rng.uniform() + np.cumsum(rng.normal(0, 0.005, STEPS))
    lines = [np.sin(2 * np.pi * turns + k) + 0.4 * np.sin(4 * np.pi * turns + k) for k in range(3)]
    return np.stack(lines, 1) + rng.normal(0, 0.1, (STEPS, 3))


SERIES = {
    "another unit": lambda own, i: 2.5 * own - 3,
    "noise at 20 dB": lambda own, i: own + 0.1 * own.std(0) * np.random.default_rng([i, 7]).normal(size=own.shape),
    "1 % cut off at the start": lambda own, i: own[STEPS // 100:],
    "3 % cut off at both ends": lambda own, i: own[STEPS * 3 // 100: -STEPS * 3 // 100],
    "half the rate": lambda own, i: own[::2],
}


def film(i: int, room: int = 0, count: int = 40, width: int = 96, height: int = 64) -> list[np.ndarray]:
    """Two discs that move through a room of other ones; uint8 [H, W, 3] each."""
    rng, still, (y, x) = np.random.default_rng([i, 8]), np.random.default_rng([room, 9]), np.mgrid[:height, :width]
    back = np.repeat((still.uniform(0, 100) * x / width + still.uniform(0, 100) * y / height + 40)[..., None], 3, 2)
    for _ in range(6):
        left, top, wide = still.integers(width), still.integers(height), still.integers(6, 20)
        back[(x - left) ** 2 + (y - top) ** 2 < wide**2] = still.integers(0, 256, 3)
    place, speed = rng.uniform([0, 0], [width, height], (2, 2)), rng.normal(0, 1, (2, 2))
    wide, colour = rng.integers(6, 14, 2), rng.integers(0, 256, (2, 3))
    shown = []
    for k in range(count):
        now = back + rng.normal(0, 3, back.shape)
        for at, step, radius, paint in zip(place, speed, wide, colour, strict=True):
            left, top = np.abs((at + k * step) % (2 * np.array([width, height])) - [width, height])
            now[(x - left) ** 2 + (y - top) ** 2 < radius**2] = paint
        shown.append(np.clip(now, 0, 255).astype(np.uint8))
    return shown


FILMS: dict[str, Callable[[list[np.ndarray]], tuple[list[np.ndarray], dict[str, Any]]]] = {
    "encoded again": lambda own: (own, {"crf": "38"}),
    "half the size": lambda own: ([np.asarray(Image.fromarray(one).resize((48, 32))) for one in own], {}),
    "with bars above and below": lambda own: ([np.pad(one, ((16, 16), (0, 0), (0, 0))) for one in own], {}),
    "half the frames": lambda own: (own[::2], {"fps": 12.5}),
    "three frames cut off": lambda own: (own[3:], {}),
    "30 % darker": lambda own: ([(0.7 * one).astype(np.uint8) for one in own], {}),
}


def save_series(own: np.ndarray, path: Path, rate: float = RATE) -> str:
    lines: dict[str, Any] = {name: own[:, k] for k, name in enumerate("abc"[: own.shape[1]])}
    np.savez(path, rate=rate, **lines)
    return path.name


def save_film(own: list[np.ndarray], path: Path, **options: Any) -> str:
    return clips.write(path, own, **{"fps": 25, **options}).name


def save_picture(drawn: Image.Image, path: Path) -> str:
    drawn.convert("RGB").save(path)
    return path.name


def save_sound(wave: np.ndarray, path: Path, rate: int = 16_000) -> str:
    soundfile.write(path, wave, rate)
    return path.name
