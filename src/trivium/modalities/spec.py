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

STORED = {"tokens": "int32", "image": "uint8", "frames": "uint8", "spectrogram": "float16", "waveform": "float16",
          "features": "float32", "counts": "int32", "columns": "float32"}  # per kind
# the axis of Spec.shape that mean and deviation are of
STATISTICS_AXIS = {"image": 0, "frames": 0, "spectrogram": 1, "waveform": 0, "features": 0}
PATCHED = ("tokens", "image", "spectrogram", "waveform")  # kinds that encoders of any modality cut into tokens


@dataclass(frozen=True)
class Spec:
    """What a model needs to know about the tensors of the stream `name`.

    kind: tokens (T,) | image (C, H, W) | frames (C, T, H, W) of a video | spectrogram (1, F, T) | waveform (1, N)
        | features (D,)
        | counts (buckets,), which come as pairs of id and count
        | columns (K, 2), a number and a code each; code 0 is missing, 1 a number or any other category
    modality: what sort of stream it is; as the name where that is not said
    vocab: of tokens; id 0 is padding, 1 an unknown token, 2 the mask
    native: the ids of padding, unknown and mask in a ready-made tokenizer; empty for one of our own
    columns: name and number of codes of each column; 2 codes: it is a number
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    vocab: int = 0
    native: tuple[int, ...] = ()
    modality: str = ""
    columns: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        if not self.modality:
            object.__setattr__(self, "modality", self.name)

    @classmethod
    def of(cls, name: str, about: Mapping[str, Any]) -> Spec:
        """From what `plain` gave."""
        return cls(name, about["kind"], tuple(about["shape"]), about["vocab"], tuple(about["native"]),
                   about["modality"], tuple((column, codes) for column, codes in about.get("columns", ())))

    def plain(self) -> dict[str, Any]:
        """A JSON value, without the name."""
        about = {"kind": self.kind, "shape": list(self.shape), "vocab": self.vocab, "native": list(self.native),
                 "modality": self.modality}
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


def scale_and_shift(spec: Spec, statistics: Mapping[str, list[float]]) -> tuple[Tensor, Tensor]:
    """(x - mean) / deviation as x * scale + shift, shaped to spread over [B, *Spec.shape]."""
    import torch

    shape = [1] * len(spec.shape)
    shape[STATISTICS_AXIS[spec.kind]] = -1
    mean, deviation = (torch.tensor(statistics[key], dtype=torch.float64).view(shape) for key in ("mean", "deviation"))
    return (1 / deviation).float(), (-mean / deviation).float()
