"""Small inputs of every sort, and objectives on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tests import networks
from trivium import models, objectives
from trivium.data.store import Batch
from trivium.modalities.spec import Spec

SPECS = {
    "text": Spec("text", "tokens", (8,), vocab=20),
    "image": Spec("image", "image", (1, 8, 8)),
    "voice": Spec("voice", "spectrogram", (1, 10, 64), modality="audio"),
    "wave": Spec("wave", "waveform", (1, 128), modality="audio"),
    "facts": Spec("facts", "columns", (3, 2), columns=(("area", 2), ("kind", 5), ("year", 2)), modality="table"),
}
ARCHITECTURES = dict.fromkeys(SPECS, "cnn") | {"facts": "ft_transformer"}


def example(spec: Spec, samples: int, generator: torch.Generator) -> Tensor:
    if spec.kind == "tokens":
        return torch.randint(3, spec.vocab, (samples, *spec.shape), generator=generator)
    x = torch.randn(samples, *spec.shape, generator=generator)
    if spec.kind == "columns":
        drawn = [torch.randint(1, codes, (samples,), generator=generator) for _, codes in spec.columns]
        x[..., 1] = torch.stack(drawn, 1)
    return x


def batch(samples: int = 16, streams: Sequence[str] = tuple(SPECS)) -> Batch:
    """All samples have all streams."""
    generator = torch.Generator().manual_seed(0)
    inputs = {s: example(SPECS[s], samples, generator) for s in streams}
    return Batch(inputs, torch.ones(samples, len(streams), dtype=torch.bool), torch.zeros(samples, dtype=torch.int64))


def build(value: str | dict[str, Any], streams: Sequence[str], among: Sequence[str] = (), seed: int = 0) -> Any:
    """The objective `value`, as in params.yaml, on `streams`; among: all of the data, where these are some of them."""
    made = networks.encoders({s: SPECS[s] for s in streams}, {s: ARCHITECTURES[s] for s in streams}, seed=seed)
    with models.drawn(seed, "objective"):
        found: nn.Module = objectives.build(objectives.chosen(value, "objective"), made, tuple(among or streams),
                                            networks.task(3))
    return found


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
