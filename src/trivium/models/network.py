"""encoders -> fusion -> head. Legend: `B` samples, `M` modalities, `D` width, `C` classes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trivium.encoders.base import Encoder


class Unimodal(nn.Module):
    """One encoder and a linear head: x -> logits [B, C]."""

    def __init__(self, encoder: Encoder, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.width, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x))


class Multimodal(nn.Module):
    """The network that fuse and end_to_end both train."""

    def __init__(self, encoders: Mapping[str, Encoder], fusion: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoders, self.fusion, self.head = nn.ModuleDict(encoders), fusion, head
        self.register_buffer("temperature", torch.ones(()))

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(self.encoders)

    def vectors(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """[B, M, D]. `inputs["vectors"]` holds them already where frozen encoders' output is cached."""
        if "vectors" in inputs:
            return inputs["vectors"]
        absent = [m for m in self.encoders if m not in inputs]
        if absent:
            raise KeyError(f"this model needs inputs for {', '.join(self.encoders)}; {', '.join(absent)} not given")
        return torch.stack([encoder(inputs[m]) for m, encoder in self.encoders.items()], 1)

    def features(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Each encoder's output, modality -> [B, D]."""
        return dict(zip(self.encoders, self.vectors(inputs).unbind(1), strict=True))

    def logits(self, inputs: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """[B, C], before the temperature."""
        return self.head(self.fusion(self.vectors(inputs), present))

    def forward(self, inputs: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """Log-probabilities [B, C]; `present`: bool [B, M] in the order of `modalities`."""
        return (self.logits(inputs, present).float() / self.temperature).log_softmax(-1)


class Ensemble(nn.Module):
    """Unimodal classifiers whose calibrated log-probabilities are summed over the modalities that a sample has."""

    def __init__(self, members: Mapping[str, Unimodal], modalities: tuple[str, ...]) -> None:
        super().__init__()
        self.members, self.modalities = nn.ModuleDict(members), modalities
        self.register_buffer("temperatures", torch.ones(len(members)))

    def vectors(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """[B, K, D], one vector per member; as for `Multimodal`, `inputs["vectors"]` may hold them already."""
        if "vectors" in inputs:
            return inputs["vectors"]
        return torch.stack([member.encoder(inputs[m]) for m, member in self.members.items()], 1)

    def features(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return dict(zip(self.members, self.vectors(inputs).unbind(1), strict=True))

    def forward(self, inputs: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """Log-probabilities [B, C]; uniform where a sample has none of the members' modalities."""
        vectors, total = self.vectors(inputs), torch.zeros(())
        for k, (m, member) in enumerate(self.members.items()):
            one = (member.head(vectors[:, k]).float() / self.temperatures[k]).log_softmax(-1)
            seen = present[:, self.modalities.index(m)].unsqueeze(-1)
            total = total + torch.where(seen, one, torch.zeros_like(one))
        return total.log_softmax(-1)
