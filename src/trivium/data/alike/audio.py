"""Sounds: a spectrogram, which says how alike two are at the best of small shifts, and a short sum to find them by.

The sum is, for each band, how much of each speed of change its loudness has: it stays the same when the sound is
louder, or begins a little later. Two sounds are as alike as their spectrograms are correlated, shifted by at most a
fifth. Silence says too little to compare.

Short sounds, such as drum hits, are a noise that dies away, and so alike as spectrograms. Their wave forms are
compared, too, at the best of all shifts, below 2 kHz or, where most of a sound is higher, from 2 to 4 kHz: a copy keeps
its wave, another hit has another one.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from trivium.data.alike import near

RATE, SECONDS = 8000, 20.0  # Hz; of each sound
BANDS, FRAMES = 24, 48  # of the spectrogram, whatever the length
WINDOW = 512  # samples of a Fourier transform
RANGE = 40.0  # dB under the loudest place that are told apart: noise is below
SILENT = 1e-4  # root mean square
SPEEDS = 6  # of change
BITS, APART = 256, 70  # of the sum; different ones, above which two are not compared
SHIFT = FRAMES // 5
LENGTHS = 1.15  # times as long that one may be
SHORT, BEGINNING = 5.0, 2.0  # seconds, up to which wave forms are compared; of what of them
WAVE = int(BEGINNING * RATE) // 2  # samples of a wave form, of half the rate
HEAD = 2 * (1 + BANDS * FRAMES)  # bytes of what comes before it


def print_of(value: str, root: str | Path, start: float | None, end: float | None) -> np.ndarray | None:
    """int8 [HEAD + WAVE + 1]: as float16 seconds and the spectrogram, of mean 0, then the wave form of the beginning at
    its own scale, 0 behind its end, and whether it is of the higher half; None where it is silent or unreadable.
    """
    from trivium.modalities import audio

    try:
        wave = audio.read(value, root, start, end, RATE, SECONDS)
    except ValueError:
        return None
    if len(wave) < 2 * WINDOW or np.sqrt(np.square(wave).mean()) < SILENT:
        return None
    hop = max(1, (len(wave) - WINDOW) // (4 * FRAMES))
    places = np.arange(0, len(wave) - WINDOW + 1, hop)
    framed = wave[places[:, None] + np.arange(WINDOW)] * np.hanning(WINDOW).astype(np.float32)
    filters = audio.mel_filters(BANDS, RATE, WINDOW)
    power = np.square(np.abs(np.fft.rfft(framed, 2 * (filters.shape[1] - 1), axis=1))) @ filters.T
    edges = np.linspace(0, len(power), FRAMES + 1).round().astype(int)
    power = np.stack([power[a:max(b, a + 1)].mean(0) for a, b in pairwise(edges)])
    decibels = 10 * np.log10(np.maximum(power, 1e-12))
    decibels = np.maximum(decibels - decibels.max(), -RANGE)
    decibels -= decibels.mean()
    head = np.concatenate([[len(wave) / RATE], decibels.T.ravel() / RANGE]).astype(np.float16)
    return np.concatenate([head.view(np.int8), _beginning(wave)])


def _beginning(wave: np.ndarray) -> np.ndarray:
    """int8 [WAVE + 1]: that half of the band of the first BEGINNING seconds which has more of the sound, at half the
    rate; and whether it is the higher one.
    """
    own = wave[: min(len(wave) // 4, WAVE // 2) * 4]
    spectrum, half = np.fft.rfft(own), len(own) // 4
    power = np.square(np.abs(spectrum))
    high = power[half:].sum() > power[:half].sum()
    made = np.fft.irfft(spectrum[half:] if high else spectrum[: half + 1], len(own) // 2)
    scaled = np.round(made * (127 / max(np.abs(made).max(), 1e-9))).astype(np.int8)
    return np.append(np.pad(scaled, (0, WAVE - len(scaled))), np.int8(high))


def pairs(prints: np.ndarray, least: float) -> np.ndarray:
    """int64 [P, 2]: rows of `prints` (int8 [N, HEAD + WAVE + 1]) whose correlation is `least` or more, and that of
    their wave forms, too, where one is short.
    """
    heads = np.ascontiguousarray(prints[:, :HEAD]).view(np.float16)
    lead = near.same(heads.view(np.uint16))
    once = np.setdiff1d(np.arange(len(prints)), lead[:, 1])
    found = once[near.candidates(_sums(heads[once, 1:]), APART)].reshape(-1, 2)
    keep = np.zeros(len(found), bool)
    for at in range(0, len(found), 2048):
        a, b = (heads[found[at: at + 2048, k]].astype(np.float32) for k in (0, 1))
        length = np.maximum(a[:, 0], b[:, 0]) <= LENGTHS * np.minimum(a[:, 0], b[:, 0])
        keep[at: at + len(a)] = length & (_alike(a[:, 1:], b[:, 1:]) >= least)
    short = np.flatnonzero(keep & (heads[found, 0].min(1) <= SHORT))
    for at in range(0, len(short), 256):
        here = short[at: at + 256]
        keep[here] = _waves_alike(*(prints[found[here, k], HEAD:].astype(np.float32) for k in (0, 1))) >= least
    return np.concatenate([lead, found[keep]])


def _waves_alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[P]: the best correlation over shifts, upside down or not; of the higher half, whose phase turns with a shift,
    whatever the phase; 0 of two halves. a, b: [P, WAVE + 1]
    """
    high, same = a[:, -1] > 0, a[:, -1] == b[:, -1]
    one, other = np.fft.rfft(a[:, :-1], 2 * WAVE), np.fft.rfft(b[:, :-1], 2 * WAVE)
    across = np.fft.ifft(one * np.conj(other), 2 * WAVE) * (2 * WAVE)
    best = np.where(high, np.abs(across).max(1), np.abs(across.real).max(1))
    size = np.sqrt(np.square(np.abs(one)).sum(1) * np.square(np.abs(other)).sum(1))
    return np.where(same, best / np.maximum(size, 1e-9), 0)


def _alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[P]: the best correlation over shifts."""
    a, b = (one.reshape(-1, BANDS, FRAMES) for one in (a, b))
    best = np.full(len(a), -1.0)
    for shift in range(-SHIFT, SHIFT + 1):
        own = a[:, :, max(0, shift): FRAMES + min(0, shift)].reshape(len(a), -1)
        other = b[:, :, max(0, -shift): FRAMES + min(0, -shift)].reshape(len(a), -1)
        own, other = own - own.mean(1, keepdims=True), other - other.mean(1, keepdims=True)
        size = np.sqrt((own * own).sum(1) * (other * other).sum(1))
        best = np.maximum(best, (own * other).sum(1) / np.maximum(size, 1e-9))
    return best


def _sums(spectrograms: np.ndarray) -> np.ndarray:
    """uint8 [N, BITS / 8]."""
    bands = spectrograms.astype(np.float32).reshape(-1, BANDS, FRAMES)
    speeds = np.abs(np.fft.rfft(bands, axis=2))[:, :, 1: SPEEDS + 1]
    level = bands.mean(2, keepdims=True) * FRAMES
    sums = np.concatenate([level, speeds], 2).reshape(len(bands), -1).astype(np.float64)
    spread = sums.std(0) if len(sums) else np.ones(sums.shape[1])
    return near.signs((sums - sums.mean(0)) / np.where(spread > 0, spread, 1) if len(sums) else sums, BITS)
