"""encoders -> fusion -> head. Legend: `B` samples, `S` streams, `D` width, `C` classes.

Vectors are a dict, stream -> [B, D_s], at each encoder's own width. What stands behind the encoders takes them from
anywhere: `answer` gives the same for vectors that were made long ago, or belong to another sample.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trivium.data.store import Batch
from trivium.encoders.base import Encoder
from trivium.models.kept import Kept

Vectors = Mapping[str, Tensor]


class Unimodal(nn.Module):
    """One encoder and a linear head: x -> logits [B, C]."""

    def __init__(self, encoder: Encoder, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.width, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x))


class Model(nn.Module):
    """What all models have in common.

    streams: of the data, in the order of `present`, bool [B, S].
    kept: of encoders that are frozen as they were published, the vectors of all samples of the data.
    """

    streams: tuple[str, ...]
    kept: dict[str, Kept]

    def __init__(self) -> None:
        super().__init__()
        self.kept = {}

    @property
    def readers(self) -> dict[str, Encoder]:
        """The encoders, by the streams that the model reads."""
        raise TypeError("a model defines `readers`")

    def vectors(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Each encoder's output, stream -> [B, D_s]."""
        absent = [s for s in self.readers if s not in inputs]
        if absent:
            raise KeyError(f"this model needs inputs for {', '.join(self.readers)}; {', '.join(absent)} not given")
        return {s: encoder(inputs[s]) for s, encoder in self.readers.items()}

    def read(self, batch: Batch) -> Vectors:
        """The vectors of `batch`, which may hold them already."""
        return batch.inputs if batch.encoded else self.vectors(batch.inputs)

    def answer(self, vectors: Vectors, present: Tensor) -> Tensor:
        """Log-probabilities [B, C], calibrated."""
        raise TypeError("a model defines `answer`")

    def forward(self, inputs: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """Log-probabilities [B, C]; `present`: bool [B, S] in the order of `streams`."""
        return self.answer(self.vectors(inputs), present)


class Multimodal(Model):
    """The network that every strategy with a fusion trains."""

    def __init__(self, encoders: Mapping[str, Encoder], fusion: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoders, self.fusion, self.head = nn.ModuleDict(encoders), fusion, head
        self.register_buffer("temperature", torch.ones(()))

    @property
    def streams(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(self.encoders)

    @property
    def readers(self) -> dict[str, Encoder]:
        return dict(self.encoders.items())

    def logits(self, vectors: Vectors, present: Tensor) -> Tensor:
        """[B, C], before the temperature."""
        return self.head(self.fusion(vectors, present))

    def answer(self, vectors: Vectors, present: Tensor) -> Tensor:
        return (self.logits(vectors, present).float() / self.temperature).log_softmax(-1)


class Ensemble(Model):
    """Unimodal classifiers whose calibrated log-probabilities are summed over the streams that a sample has."""

    def __init__(self, members: Mapping[str, Unimodal], streams: tuple[str, ...]) -> None:
        super().__init__()
        self.members, self.streams = nn.ModuleDict(members), streams
        self.register_buffer("temperatures", torch.ones(len(members)))

    @property
    def readers(self) -> dict[str, Encoder]:
        return {s: member.encoder for s, member in self.members.items()}

    def answer(self, vectors: Vectors, present: Tensor) -> Tensor:
        """Uniform where a sample has none of the members' streams."""
        total = torch.zeros(())
        for k, (s, member) in enumerate(self.members.items()):
            one = (member.head(vectors[s]).float() / self.temperatures[k]).log_softmax(-1)
            seen = present[:, self.streams.index(s)].unsqueeze(-1)
            total = total + torch.where(seen, one, torch.zeros_like(one))
        return total.log_softmax(-1)
