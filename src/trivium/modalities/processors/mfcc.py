"""A sound as means and standard deviations, over the whole clip, of its MFCC, of their deltas and of its energy.

MFCC: Davis & Mermelstein 1980. Loudness is kept (the energy, and the coefficient 0): of a current's sound or a drum it
says what it is. Nothing is padded, so that the length of a clip changes nothing but how sure the means are.

Legend: `D` features, `T` frames, `F` coefficients, `N` samples of sound.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from trivium.modalities import audio, media
from trivium.modalities.spec import Spec
from trivium.modalities.videos.sound import opened as sound_of
from trivium.settings.base import Section

MODALITY = "audio"
BANDS = 40  # mel bands behind the coefficients
WINDOW, HOP = 0.025, 0.010  # seconds
SILENCE = 1e-14  # power of what counts as silence: -140 dB, the noise of 24 bits; a recording may be quiet throughout
REACH = 2  # frames to both sides that a delta looks at


class Settings(Section):
    sample_rate: Annotated[int, Field(ge=1000, le=192_000)] = 16_000  # Hz
    seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0  # of a clip, from its start, that are looked at
    coefficients: Annotated[int, Field(ge=1, le=BANDS)] = 20  # F


def width(settings: Settings) -> int:
    """D: 82 by default."""
    return 4 * settings.coefficients + 2


def spec(settings: Settings) -> Spec:
    return Spec("audio", "features", (width(settings),))


def decode(value: str, root: str | Path, start: float | None, end: float | None, settings: Settings) -> np.ndarray:
    """float32 [D]: means, then deviations, of F coefficients, F deltas and the energy in dB of full scale.

    Raises: ValueError (why the file cannot be read).
    """
    wave = _read(value, root, start, end, settings)
    coefficients, energy = _mfcc(wave, settings)
    frames = np.concatenate([coefficients, _delta(coefficients), energy[:, None]], 1)
    return np.concatenate([frames.mean(0), frames.std(0)]).astype(np.float32)


def _read(value: str, root: str | Path, start: float | None, end: float | None, settings: Settings) -> np.ndarray:
    """float32 [N], mono, at `sample_rate`; as `audio.decode` reads, without its padding and its half precision."""
    import soundfile

    file = media.opened(value, root)
    try:
        with sound_of(file) as sound:
            rate = sound.samplerate
            first, count = audio._span(sound, start, end)
            if first:
                sound.seek(first)
            wave = sound.read(min(count, math.ceil(settings.seconds * rate)), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise ValueError(audio._why(error, file)) from None
    audio._check(wave)
    if not len(wave):
        raise ValueError("has no samples")
    return audio._resample(wave.mean(1), rate, settings.sample_rate)


def _mfcc(wave: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """[T, F], the first terms of the orthonormal DCT-II of the dB in each mel band; and the dB of all power, [T]."""
    import scipy.fft

    window = max(2, round(WINDOW * settings.sample_rate))
    hop = max(1, round(HOP * settings.sample_rate))
    wave = np.pad(wave, (0, max(0, window - len(wave))))
    hann = np.hanning(window + 1)[:-1].astype(np.float32)
    framed = np.lib.stride_tricks.sliding_window_view(wave, window)[::hop] * hann
    filters = audio.mel_filters(BANDS, settings.sample_rate, window)
    spectrum = scipy.fft.rfft(framed, 2 * (filters.shape[1] - 1), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2) / np.square(hann).sum()
    decibels = 10 * np.log10(np.maximum(power @ filters.T, SILENCE))
    energy = 10 * np.log10(np.maximum(np.square(framed).sum(1) / np.square(hann).sum(), SILENCE))
    return scipy.fft.dct(decibels, type=2, axis=1, norm="ortho")[:, : settings.coefficients], energy


def _delta(frames: np.ndarray) -> np.ndarray:
    """[T, F]: the slope per frame of the line through the frames t - 2 to t + 2; the ends go on as they are."""
    count = len(frames)
    padded = np.pad(frames, ((REACH, REACH), (0, 0)), mode="edge")
    slopes = [n * (padded[REACH + n: REACH + n + count] - padded[REACH - n: REACH - n + count])
              for n in range(1, REACH + 1)]
    return np.sum(slopes, 0) / (2 * sum(n * n for n in range(1, REACH + 1)))
