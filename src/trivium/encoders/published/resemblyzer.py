"""A voice encoder (generalised end-to-end loss, Wan et al. 2018, arXiv 1710.10467), trained to tell speakers apart.

Weights: the package resemblyzer, 17 MB (Apache-2.0). It reads a waveform at 16 kHz: 40 mel bands of the power, frames
of 25 ms every 10 ms; three LSTM layers over windows of 1.6 s, their normalised answers averaged. D = 256. Without the
package's removal of silence, which would make a sample's length depend on a voice detector.

Legend: `B` samples, `N` samples of sound, `F` bands, `T` frames, `W` windows, `D` width.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from trivium.encoders.base import Encoder
from trivium.machine.packages import PREFIX, find
from trivium.modalities.spec import Spec

PACKAGE, MODALITY, LICENCE = "resemblyzer", "audio", "Apache-2.0"
PROCESSOR = {"sample_rate": 16_000, "seconds": 4.0, "features": "waveform", "level": "natural"}
FREE = ("seconds",)
RATE, WINDOW, HOP, BANDS = 16_000, 400, 160, 40  # Hz, samples, samples, mel bands
FRAMES, STEP = 160, 77  # of a window; from one window to the next (1.3 a second)
COVER = 0.75  # share of a last window that must be there
QUIET = 10 ** (-30 / 20)  # root mean square that quieter clips are raised to (-30 dBFS)
WIDTH = 256


class Resemblyzer(Encoder):
    published = True

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec, self.width, self.patch = spec, WIDTH, (STEP * HOP,)
        self.lstm = nn.LSTM(BANDS, WIDTH, 3, batch_first=True)
        self.linear = nn.Linear(WIDTH, WIDTH)
        self.mel = Mel()

    @property
    def front(self) -> nn.Module:  # type: ignore[override]
        """Any quieter, a clip is raised to the same loudness: on the way to silence, its waveform says the same."""
        return self.mel

    def tokens(self, x: Tensor) -> Tensor:
        """[B, 1, N] -> [B, W, D], each of length 1."""
        mel = self.mel(x[:, 0])
        count = windows_in(mel.shape[1])  # of the longest clip there can be
        mel = nn.functional.pad(mel, (0, 0, 0, max(0, (count - 1) * STEP + FRAMES - mel.shape[1])))
        windows = mel.unfold(1, FRAMES, STEP).transpose(2, 3)  # [B, W, T, F]
        _, (hidden, _) = self.lstm(windows.flatten(0, 1))
        return nn.functional.normalize(self.linear(hidden[-1]).relu(), dim=-1).unflatten(0, (len(x), count))

    def pool(self, tokens: Tensor, x: Tensor) -> Tensor:
        """The mean over the windows that hold sound: silence that pads a clip changes nothing."""
        starts = torch.arange(tokens.shape[1], device=x.device) * STEP * HOP
        heard = heard_samples(x[:, 0])[:, None] - starts >= COVER * FRAMES * HOP
        heard[:, 0] = True
        return nn.functional.normalize((tokens * heard.unsqueeze(-1)).sum(1), dim=-1)


class Mel(nn.Module):
    """[B, N] -> [B, T, F]: power in each band, of clips that are quieter than `QUIET` raised to it."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filters", torch.from_numpy(mel_filters()), persistent=False)
        self.register_buffer("hann", torch.hann_window(WINDOW), persistent=False)

    def forward(self, wave: Tensor) -> Tensor:
        loudness = (wave.square().sum(1) / heard_samples(wave).clamp(min=1)).sqrt().clamp(min=1e-6)
        wave = wave * (QUIET / loudness).clamp(min=1.0).unsqueeze(1)
        spectrum = torch.stft(wave, WINDOW, HOP, WINDOW, self.hann, center=True, pad_mode="constant",
                              return_complex=True)
        return (self.filters @ spectrum.abs().square()).transpose(1, 2)


def heard_samples(wave: Tensor) -> Tensor:
    """int64 [B]: samples of [B, N] up to the last that is not 0."""
    return (torch.arange(1, wave.shape[1] + 1, device=wave.device) * (wave != 0)).amax(1)


def windows_in(frames: int) -> int:
    """How many windows a clip has; the last one may lack a quarter of its frames."""
    whole = 1 + max(0, frames - FRAMES) // STEP
    return whole + int(frames > FRAMES and (frames - whole * STEP) / FRAMES >= COVER)


def mel_filters() -> np.ndarray:
    """float32 [F, 1 + WINDOW / 2]: triangles of equal area on Slaney's mel scale (linear below 1 kHz, then
    logarithmic; Slaney 1998, Auditory Toolbox), which the weights were trained with.
    """
    def hertz(mel: np.ndarray) -> np.ndarray:
        return np.where(mel < 15, 200 / 3 * mel, 1000 * np.exp(np.log(6.4) / 27 * (mel - 15)))

    top = 15 + np.log(RATE / 2 / 1000) / (np.log(6.4) / 27)
    corners = hertz(np.linspace(0, top, BANDS + 2))
    low, peak, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    frequency = np.linspace(0, RATE / 2, 1 + WINDOW // 2)[None]
    rising, falling = (frequency - low) / (peak - low), (high - frequency) / (high - peak)
    return (np.clip(np.minimum(rising, falling), 0, None) * 2 / (high - low)).astype(np.float32)


def empty(spec: Spec) -> Resemblyzer:
    return Resemblyzer(spec)


def build(spec: Spec) -> Resemblyzer:
    """Raises: UserError (the package is not installed)."""
    encoder = empty(spec)
    state = torch.load(find(PREFIX + PACKAGE, "pretrained.pt"), weights_only=True, map_location="cpu")["model_state"]
    encoder.load_state_dict({key: value for key, value in state.items() if not key.startswith("similarity")})
    return encoder
