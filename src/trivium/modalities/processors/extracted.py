"""A sound as a published model wants it: what the feature extractor that the model was trained with makes of it.

Nothing is scaled afterwards. `encoders.brought` fills in the settings; an entry of `encoder` may say `seconds` at most.

Legend: `N` samples of sound, `F` bins, `T` frames.
"""

from __future__ import annotations

import functools
import json
import warnings
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from trivium.modalities import audio
from trivium.modalities.spec import Spec
from trivium.settings.base import Section

MODALITY = "audio"
KINDS = {"Wav2Vec2FeatureExtractor": "waveform", "ASTFeatureExtractor": "spectrogram"}  # classes of transformers
SECONDS = 4.0  # of a clip, for models of any length
DEFAULTS: dict[str, dict[str, Any]] = {  # of the classes, where a config does not say
    "Wav2Vec2FeatureExtractor": {"sampling_rate": 16_000},
    "ASTFeatureExtractor": {"sampling_rate": 16_000, "num_mel_bins": 128, "max_length": 1024},
}
WINDOW, HOP = 400, 160  # samples of a frame, and between two, of ASTFeatureExtractor


class Settings(Section):
    extractor: dict[str, Any]  # preprocessor_config.json: with it a saved model needs neither hub nor folder
    seconds: Annotated[float, Field(gt=0)] = SECONDS

    @property
    def kind(self) -> str:
        return KINDS[self.extractor["feature_extractor_type"]]

    @property
    def rate(self) -> int:
        return self.extractor["sampling_rate"]

    @property
    def statistics(self) -> dict[str, list[float]]:
        """Mean and deviation that change nothing."""
        entries = 1 if self.kind == "waveform" else self.extractor["num_mel_bins"]
        return {"mean": [0.0] * entries, "deviation": [1.0] * entries}


def fixed_seconds(extractor: dict[str, Any]) -> float | None:
    """How much of a clip an extractor of one length looks at; None where that is free."""
    if KINDS[extractor["feature_extractor_type"]] == "waveform":
        return None
    return (WINDOW + HOP * (extractor["max_length"] - 1)) / extractor["sampling_rate"]


def spec(settings: Settings) -> Spec:
    if settings.kind == "waveform":
        return Spec("audio", "waveform", (1, max(1, round(settings.seconds * settings.rate))))
    return Spec("audio", "spectrogram", (1, settings.extractor["num_mel_bins"], settings.extractor["max_length"]))


def decode(value: str, root: str | Path, start: float | None, end: float | None, settings: Settings) -> np.ndarray:
    """float16, [1, F, T] or [1, N]; the clip is not padded before the extractor has seen it.

    Raises: ValueError (why the file cannot be read).
    """
    wave = audio.read(value, root, start, end, settings.rate, settings.seconds).astype(np.float32)
    shape = spec(settings).shape
    if settings.kind == "spectrogram":  # which needs one window
        wave = np.pad(wave, (0, max(0, WINDOW - len(wave))))
    made = _extractor(json.dumps(settings.extractor, sort_keys=True))
    x = np.asarray(made(wave, sampling_rate=settings.rate)["input_values"][0], np.float32)
    if settings.kind == "spectrogram":
        return np.ascontiguousarray(x.T)[None].astype(np.float16)
    fill = settings.extractor.get("padding_value", 0.0)
    return np.pad(x, (0, shape[1] - len(x)), constant_values=fill)[None].astype(np.float16)


@functools.cache
def _extractor(about: str) -> Any:
    """Once in a process: transformers takes seconds to import."""
    import transformers

    own = json.loads(about)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a narrow mel filter may be empty; the model was trained with it
        return getattr(transformers, own.pop("feature_extractor_type"))(**own)
