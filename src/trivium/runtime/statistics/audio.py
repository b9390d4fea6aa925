"""Of a sound: how long, how loud and how bright it is. An hour of it never stands in memory at once."""

from __future__ import annotations

from typing import Any

import numpy as np

FRAME = 0.02  # seconds
FRAMES = 2048  # that are read at a time
SILENT = -50.0  # dBFS; a frame below is silence
FLOOR = -120.0  # dBFS of nothing at all


def measured(file: Any, start: float | None, end: float | None) -> dict[str, float | str]:
    """seconds; loudness (root mean square) in dBFS; silence: share of frames below `SILENT`; centroid: the mean
    frequency in Hz, weighted by power, where there is any.

    file: a path, or an open file;  start, end: seconds. Raises: whatever soundfile does.
    """
    from trivium.modalities.videos.sound import opened

    with opened(file) as sound:
        rate = sound.samplerate
        size = max(1, int(FRAME * rate))
        first = int((start or 0) * rate)
        sound.seek(first)
        left = sound.frames - first if end is None else round((end - (start or 0)) * rate)
        heard, power, silent, frames = 0, 0.0, 0, 0
        spectrum, window = np.zeros(size // 2 + 1), np.hanning(size + 2)[1:-1]
        while left > 0 and len(wave := sound.read(min(left, FRAMES * size), "float64", always_2d=True)):
            wave, left = wave.mean(1), left - len(wave)
            framed = np.pad(wave, (0, -len(wave) % size)).reshape(-1, size)
            squares = np.square(framed).sum(1)
            counted = np.full(len(framed), size)
            counted[-1] -= framed.size - len(wave)
            heard, power, frames = heard + len(wave), power + float(squares.sum()), frames + len(framed)
            silent += int((_level(squares / counted) < SILENT).sum())
            spectrum += np.square(np.abs(np.fft.rfft(framed * window, axis=1))).sum(0)
    found = {"seconds": heard / rate, "loudness": float(_level(np.array(power / heard))), "silence": silent / frames}
    if total := float(spectrum.sum()):
        found["centroid"] = float(spectrum @ np.fft.rfftfreq(size, 1 / rate)) / total
    return dict(found)


def _level(power: np.ndarray) -> np.ndarray:
    """dBFS of mean squares."""
    return np.maximum(FLOOR, 10 * np.log10(np.maximum(1e-24, power)))
