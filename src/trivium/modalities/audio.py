"""Audio of any format that libsndfile reads (wav, flac, ogg, mp3, ...), and the sound of a video: mono, resampled,
cut or padded with silence.

Features: `logmel`, `mfcc` (spectrograms [1, F, T]) or `waveform` [1, N].
"""

from __future__ import annotations

import functools
import io
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from trivium.machine.files import absent
from trivium.modalities import add_noise, media
from trivium.modalities.augmented import audio as augmented
from trivium.modalities.videos.sound import opened as sound_of
from trivium.settings.base import Section

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from trivium.modalities.spec import Spec

BLOCK = 1 << 20  # frames decoded at a time: an hour of sound never stands in memory at once
FASTEST, MOST = 768_000, 64  # samples a second, and channels
LOUDEST = 2.0**15  # full scale is 1, but some write the integers of 16 bits as they are; half precision ends at 2^16
LENGTH = re.compile(rb"\xff[\xe2-\xff]..\0{9,34}(?:Xing|Info|VBRI)", re.DOTALL)  # an MP3 frame that counts the others
UNKNOWN_SIZE = 0.99 * (2**31 - 2**16)  # bytes; near 2^31 and 2^32 a header says that it did not know
QUIETEST = 1e-10  # power of what counts as silence (-100 dB)
DYNAMIC_RANGE = 80.0  # dB under the loudest moment of the clip that are told apart
MFCC_BANDS = 40  # mel bands, at least, that mfcc starts from
Augment, augment = augmented.Settings, augmented.augment


class Settings(Section):
    sample_rate: Annotated[int, Field(ge=100, le=192_000)] = 16_000  # Hz
    seconds: Annotated[float, Field(gt=0)] = 4.0
    features: Literal["logmel", "mfcc", "waveform"] = "logmel"
    bins: Annotated[int, Field(ge=1)] = 40  # mel bands of logmel, coefficients of mfcc
    window_ms: Annotated[float, Field(gt=0)] = 25.0
    hop_ms: Annotated[float, Field(gt=0)] = 12.5
    level: Literal["train", "natural"] = "train"  # train: scaled by the train sounds' statistics; natural: as it is

    @property
    def statistics(self) -> dict[str, list[float]] | None:
        """Mean and deviation that change nothing, where the level is meant to be as it is."""
        entries = 1 if self.features == "waveform" else self.bins
        return {"mean": [0.0] * entries, "deviation": [1.0] * entries} if self.level == "natural" else None

    @property
    def samples(self) -> int:
        return max(1, round(self.seconds * self.sample_rate))

    @property
    def window(self) -> int:
        return max(2, round(self.window_ms * self.sample_rate / 1000))

    @property
    def hop(self) -> int:
        return max(1, round(self.hop_ms * self.sample_rate / 1000))


def spec(settings: Settings) -> Spec:
    from trivium.modalities.spec import Spec

    if settings.features == "waveform":
        return Spec("audio", "waveform", (1, settings.samples))
    return Spec("audio", "spectrogram", (1, settings.bins, _frames(settings)))


def probe(value: str, root: str | Path, start: float | None = None, end: float | None = None) -> dict[str, Any]:
    """{"seconds", "sample_rate" in Hz} of the span from `start` to `end`, which is decoded; or {"error": why}."""
    import soundfile

    file: Path | io.BytesIO | None = None
    try:
        file = media.opened(value, root)
        with sound_of(file) as sound:
            _check_size(file)
            first, count = _span(sound, start, end)
            if first:  # some formats cannot seek
                sound.seek(first)
            decoded = 0
            while decoded < count:
                block = sound.read(min(BLOCK // sound.channels, count - decoded), dtype="float32")
                if len(block) == 0:
                    break
                _check(block)
                decoded += len(block)
            if decoded < 0.99 * count - getattr(sound, "slack", 0) and not _is_guessed(sound, file):
                raise ValueError(f"breaks off after {decoded / sound.samplerate:.2f} s of "
                                 f"{count / sound.samplerate:.2f} s: the file is truncated or damaged")
            return {"seconds": decoded / sound.samplerate, "sample_rate": sound.samplerate}
    except ValueError as error:
        return {"error": str(error)}
    except (soundfile.LibsndfileError, OSError) as error:
        return {"error": _why(error, file)}


def decode(value: str, root: str | Path, start: float | None, end: float | None, settings: Settings) -> np.ndarray:
    """float16, [1, F, T] or [1, N]. Raises: ValueError (why the file cannot be read).

    Half precision keeps 11 bits: 66 dB of a waveform, 0.06 dB or less of a log-mel.
    """
    wave = read(value, root, start, end, settings.sample_rate, settings.seconds)
    heard = len(wave)
    wave = np.pad(wave, (0, settings.samples - heard))
    features = wave if settings.features == "waveform" else _spectrogram(wave, heard, settings)
    return features[None].astype(np.float16)


def read(value: str, root: str | Path, start: float | None, end: float | None, target: int, seconds: float,
         ) -> np.ndarray:
    """float32 [N]: mono, at `target` Hz, the first `seconds` of the span and no padding. Raises: ValueError."""
    import soundfile

    file = media.opened(value, root)
    try:
        with sound_of(file) as sound:
            rate = sound.samplerate
            first, count = _span(sound, start, end)
            margin = math.ceil(10 * max(1.0, rate / target)) + 1  # what the resampling filter looks at
            count = min(count, math.ceil(seconds * rate) + margin)
            if first:
                sound.seek(first)
            wave = sound.read(count, dtype="float32")
    except (soundfile.LibsndfileError, OSError) as error:
        raise ValueError(_why(error, file)) from None
    _check(wave)
    wave = wave if wave.ndim == 1 else wave.mean(1)
    return _resample(wave, rate, target)[: max(1, round(seconds * target))]


def length(value: str, root: str | Path, start: float | None, end: float | None) -> float:
    """Seconds that the span from `start` to `end` lasts, by the file's header. Raises: ValueError."""
    import soundfile

    file = media.opened(value, root)
    try:
        with sound_of(file) as sound:
            return _span(sound, start, end)[1] / sound.samplerate
    except (soundfile.LibsndfileError, OSError) as error:
        raise ValueError(_why(error, file)) from None


def energy(value: str, root: str | Path, start: float | None, end: float | None, rate: float) -> np.ndarray:
    """float32 [N]: how loud the span is (root mean square), `rate` times a second. Raises: ValueError."""
    fine = 40 * math.ceil(rate)  # samples a second: what is loud is so below half of this as well
    wave = read(value, root, start, end, fine, length(value, root, start, end))
    step = fine / rate
    ends = np.round(np.arange(1, int(len(wave) / step) + 1) * step).astype(int)
    power = np.append(0, np.cumsum(np.square(wave, dtype=np.float64)))
    return np.sqrt(np.maximum(power[ends] - power[np.append(0, ends[:-1])], 0) / step).astype(np.float32)


def corrupt(x: Tensor, severity: float, generator: Generator, spec: Spec) -> Tensor:
    """Gaussian noise, see `add_noise`; x float [B, 1, F, T] or [B, 1, N]."""
    return add_noise(x, severity, generator)


def _span(sound: Any, start: float | None, end: float | None) -> tuple[int, int]:
    """First frame and number of frames between `start` and `end` seconds; an end beyond the file is its end.

    Raises: ValueError (there are none, or the header claims more than any recorder gives: it is not decoded).
    """
    rate, frames = sound.samplerate, sound.frames
    if rate > FASTEST or sound.channels > MOST:
        many = f"{sound.channels:,} channel{'s' * (sound.channels > 1)} of {rate:,} samples a second"
        raise ValueError(f"says that it has {many}; what is read has {MOST} and {FASTEST:,} at most")
    first = 0 if start is None or math.isnan(start) else round(max(-1.0, min(start, 1e9)) * rate)
    last = frames if end is None or not end < frames / rate else round(max(end, 0.0) * rate)
    if frames <= 0:
        raise ValueError("has no samples")
    if first < 0 or first >= frames:
        raise ValueError(f"starts at {start} s, but the recording lasts {frames / rate:.2f} s")
    if last <= first:
        raise ValueError(f"ends at {end} s, not after its start at {start or 0} s")
    return first, last - first


def _is_guessed(sound: Any, file: Path | io.BytesIO) -> bool:
    """Whether the file does not say how long it is, so that libsndfile guesses from its size (tags included)."""
    return sound.format == "MP3" and not LENGTH.search(file.read_bytes() if isinstance(file, Path) else
                                                       file.getvalue())


def _check_size(place: Path | io.BytesIO) -> None:
    """Raises: ValueError (a WAV or AIFF file has less sound than its header says, which libsndfile does not mind)."""
    whole = media.size(place)
    with place.open("rb") if isinstance(place, Path) else io.BytesIO(place.getvalue()) as file:
        kind = file.read(12)[:4]
        order: Literal["little", "big"] = "big" if kind == b"FORM" else "little"
        while kind in (b"RIFF", b"FORM") and len(chunk := file.read(8)) == 8:
            size = int.from_bytes(chunk[4:], order)
            if chunk[:4] in (b"data", b"SSND"):
                there = whole - file.tell()
                if there < 0.99 * size < UNKNOWN_SIZE:
                    raise ValueError(f"has {there:,} of the {size:,} bytes of sound that its header names: the file is "
                                     "truncated")
                return
            file.seek(size + size % 2, 1)


def _check(wave: np.ndarray) -> None:
    loudest = np.abs(wave).max(initial=0)
    if not np.isfinite(loudest):
        raise ValueError("has samples that are not numbers (NaN or infinite)")
    if loudest > LOUDEST:
        raise ValueError(f"has samples as large as {loudest:.3g}, where 1 is full scale: divide them")


def _resample(wave: np.ndarray, rate: int, target: int) -> np.ndarray:
    """Polyphase, with a Kaiser-windowed low-pass at the lower of the two Nyquist frequencies."""
    if rate == target:
        return wave
    from scipy.signal import resample_poly

    common = math.gcd(rate, target)
    up, down = target // common, rate // common
    return resample_poly(wave, up, down, window=_low_pass(max(up, down)))


@functools.cache
def _low_pass(steps: int) -> np.ndarray:
    from scipy.signal import firwin

    return firwin(20 * steps + 1, 1 / steps, window=("kaiser", 5.0)).astype(np.float32)


def _frames(settings: Settings) -> int:
    """One per hop: the clip is padded so that the windows are centred on the hops."""
    padded = settings.samples + max(0, settings.window - settings.hop)
    return max(1, 1 + (padded - settings.window) // settings.hop)


def _spectrogram(wave: np.ndarray, heard: int, settings: Settings) -> np.ndarray:
    """[F, T] float32: dB of the power in each mel band; or, for mfcc, the first F terms of its orthonormal DCT-II.

    Silence ends `DYNAMIC_RANGE` under the clip's loudest moment, as in Whisper (Radford et al. 2022, section 2.2). The
    mean level of the clip's `heard` samples is 0 dB, and so is every band of the padding behind them: neither loudness
    nor the cliff where a short clip ends takes up the range that sounds need.
    """
    import scipy.fft

    window, hop, frames = settings.window, settings.hop, _frames(settings)
    before = max(0, window - hop) // 2
    needed = (frames - 1) * hop + window
    padded = np.pad(wave, (before, max(0, needed - before - len(wave))))
    hann = np.hanning(window + 1)[:-1].astype(np.float32)
    framed = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:frames] * hann
    bands = settings.bins if settings.features == "logmel" else max(settings.bins, MFCC_BANDS)
    filters = mel_filters(bands, settings.sample_rate, window)
    spectrum = scipy.fft.rfft(framed, 2 * (filters.shape[1] - 1), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2) / np.square(hann).sum()
    decibels = 10 * np.log10(np.maximum(filters @ power.T, QUIETEST))
    decibels = np.maximum(decibels, decibels.max() - DYNAMIC_RANGE)
    sounding = max(1, min(frames, math.ceil((heard + before - window // 2) / hop)))  # windows centred on the clip
    decibels -= decibels[:, :sounding].mean()
    decibels[:, sounding:] = 0.0
    if settings.features == "logmel":
        return decibels
    return scipy.fft.dct(decibels, type=2, axis=0, norm="ortho")[: settings.bins]


@functools.cache
def mel_filters(bands: int, sample_rate: int, window: int) -> np.ndarray:
    """float32 [bands, K]: triangles of height 1, evenly spaced from 0 to the Nyquist frequency on the mel scale
    mel(f) = 2595 log10(1 + f / 700) (O'Shaughnessy 1987), over K - 1 = a power of two frequency steps, fine enough
    that no triangle falls between two of them.
    """
    mel = np.linspace(0, 2595 * np.log10(1 + sample_rate / 2 / 700), bands + 2)
    corners = 700 * (10 ** (mel / 2595) - 1)
    low, peak, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    steps = 2 ** math.ceil(math.log2(window)) // 2
    while True:
        frequency = np.linspace(0, sample_rate / 2, steps + 1)[None]
        filters = np.clip(np.minimum((frequency - low) / (peak - low), (high - frequency) / (high - peak)), 0, None)
        if (filters.max(1) > 0.3).all():
            return filters.astype(np.float32)
        steps *= 2


def _why(error: Exception, file: Path | io.BytesIO | None) -> str:
    if isinstance(file, Path) and not file.exists():
        return absent(file)
    if isinstance(file, Path) and file.is_dir():
        return "this is a folder, not a file"
    if "Error opening" in str(error):
        return "not sound, or of a format that libsndfile cannot read"
    return f"cannot be decoded: {error}"
