"""What models need to know about the tensors of one stream.

Legend: `T` tokens or frames, `C` channels, `F` frequency bins, `N` samples of sound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

STORED = {"tokens": "int32", "image": "uint8", "spectrogram": "float16", "waveform": "float16",
          "series": "float32", "features": "float32", "counts": "int32", "columns": "float32"}  # per kind
# axis of Spec.shape, for mean and deviation
STATISTICS_AXIS = {"image": 0, "spectrogram": 1, "waveform": 0, "series": 0, "features": 0}
PATCHED = ("tokens", "image", "spectrogram", "waveform", "series")  # kinds that encoders of all sorts cut into tokens


@dataclass(frozen=True)
class Spec:
    """What a model needs to know about the tensors of the stream `name`.

    kind: tokens (T,) | image (C, H, W) | spectrogram (1, F, T) | waveform (1, N) | features (D,)
        | series (2 C, T), values of C channels, 0 in gaps, and for each 1 where there is one, else 0
        | counts (buckets,), which come as pairs of id and count
        | columns (K, 2), a number and a code each; code 0 is missing, 1 a number or any other category
    modality: what sort of stream it is; as the name where that is not said
    vocab: of tokens; id 0 is padding, 1 an unknown token, 2 the mask
    native: the ids of padding, unknown and mask in a ready-made tokenizer; empty for one of our own
    columns: name and number of codes of each column; 2 codes: it is a number
    seconds: that a series lasts
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    vocab: int = 0
    native: tuple[int, ...] = ()
    modality: str = ""
    columns: tuple[tuple[str, int], ...] = ()
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if not self.modality:
            object.__setattr__(self, "modality", self.name)

    @classmethod
    def of(cls, name: str, about: Mapping[str, Any]) -> Spec:
        """From what `plain` gave."""
        return cls(name, about["kind"], tuple(about["shape"]), about["vocab"], tuple(about["native"]),
                   about["modality"], tuple((column, codes) for column, codes in about.get("columns", ())),
                   about.get("seconds", 0.0))

    def plain(self) -> dict[str, Any]:
        """A JSON value, without the name."""
        about = {"kind": self.kind, "shape": list(self.shape), "vocab": self.vocab, "native": list(self.native),
                 "modality": self.modality}
        about |= {"seconds": self.seconds} if self.seconds else {}
        return about | ({"columns": [list(one) for one in self.columns]} if self.columns else {})

    @property
    def discrete(self) -> bool:
        """Whether inputs are choices among a few, between which there is nothing."""
        return self.kind in ("tokens", "counts", "columns")

    @property
    def bytes(self) -> int:
        """Of one sample's tensor in a `Batch`."""
        return math.prod(self.shape) * (8 if self.kind == "tokens" else 4)

    def native_ids(self) -> np.ndarray:
        """int64 [vocab]: our id -> the ready-made tokenizer's, for encoders that were trained with it.

        Ours are the tokenizer's with padding, unknown and mask swapped to 0, 1 and 2.
        """
        ids = np.arange(self.vocab)
        for place, native in enumerate(self.native):
            other = int(np.flatnonzero(ids == native)[0])
            ids[[place, other]] = ids[[other, place]]
        return ids


def mean_and_deviation(spec: Spec, sums: np.ndarray, count: int) -> dict[str, list[float]]:
    """From sums and sums of squares [2, C] over `count` numbers; a constant entry gets the deviation 1. Of a series:
    over the values that are there; what says where they are stays as it is.
    """
    if spec.kind == "series":
        half = sums.shape[1] // 2
        found = _mean_and_deviation(sums[:, :half], np.maximum(sums[0, half:], 1))
        return {"mean": found["mean"] + [0.0] * half, "deviation": found["deviation"] + [1.0] * half}
    return _mean_and_deviation(sums, count)


def _mean_and_deviation(sums: np.ndarray, count: int | np.ndarray) -> dict[str, list[float]]:
    mean = sums[0] / count
    deviation = np.sqrt(np.maximum(sums[1] / count - mean**2, 0))
    constant = deviation <= 1e-6 * np.maximum(1, np.abs(mean))
    return {"mean": mean.tolist(), "deviation": np.where(constant, 1.0, deviation).tolist()}


def without_gaps(x: Any, spec: Spec) -> Any:
    """x [B, *Spec.shape], normalised, in which what is a gap is 0, the mean; in place. A NumPy array or a tensor."""
    if spec.kind == "series":
        half = spec.shape[0] // 2
        x[:, :half] *= x[:, half:]
    return x


def scale_and_shift(spec: Spec, statistics: Mapping[str, list[float]]) -> tuple[Tensor, Tensor]:
    """(x - mean) / deviation as x * scale + shift, shaped to spread over [B, *Spec.shape]."""
    import torch

    shape = [1] * len(spec.shape)
    shape[STATISTICS_AXIS[spec.kind]] = -1
    mean, deviation = (torch.tensor(statistics[key], dtype=torch.float64).view(shape) for key in ("mean", "deviation"))
    return (1 / deviation).float(), (-mean / deviation).float()
