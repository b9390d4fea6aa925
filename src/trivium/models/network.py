"""encoders -> fusion -> head. Legend: `B` samples, `S` streams, `D` width, `C` outputs, `A`
numbers of an answer.

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
from trivium.tasks import Task

Vectors = Mapping[str, Tensor]


class Unimodal(nn.Module):
    """One encoder and a linear head: x -> outputs [B, C]."""

    def __init__(self, encoder: Encoder, outputs: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x))

    def read(self, batch: Batch) -> Vectors:
        """The vectors of `batch`, which may hold them already."""
        name = self.encoder.spec.name
        return {name: batch.inputs[name] if batch.encoded else self.encoder(batch.inputs[name])}


class Model(nn.Module):
    """What all models have in common.

    streams: of the data, in the order of `present`, bool [B, S].  task: what is predicted.
    kept: of encoders that are frozen as they were published, the vectors of all samples of the data.
    """

    streams: tuple[str, ...]
    kept: dict[str, Kept]

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task, self.kept = task, {}

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
        """The task's answer, [B, A]."""
        raise TypeError("a model defines `answer`")

    def forward(self, inputs: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """The task's answer, [B, A]; `present`: bool [B, S] in the order of `streams`."""
        return self.answer(self.vectors(inputs), present)


class Multimodal(Model):
    """The network that every strategy with a fusion trains."""

    def __init__(self, encoders: Mapping[str, Encoder], fusion: nn.Module, head: nn.Module, task: Task) -> None:
        super().__init__(task)
        self.encoders, self.fusion, self.head = nn.ModuleDict(encoders), fusion, head
        self.register_buffer("calibration", task.uncalibrated())

    @property
    def streams(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(self.encoders)

    @property
    def readers(self) -> dict[str, Encoder]:
        return dict(self.encoders.items())

    def outputs(self, vectors: Vectors, present: Tensor) -> Tensor:
        """[B, C], before they are calibrated."""
        return self.head(self.fusion(vectors, present))

    def answer(self, vectors: Vectors, present: Tensor) -> Tensor:
        return self.task.answer(self.outputs(vectors, present), self.calibration)


class Ensemble(Model):
    """Unimodal models whose answers are pooled over the streams that a sample has.

    pool: how, a module of `pools`; None: as the task does, by their product.
    """

    def __init__(self, members: Mapping[str, Unimodal], streams: tuple[str, ...], task: Task,
                 pool: nn.Module | None = None) -> None:
        super().__init__(task)
        self.members, self.streams, self.pool = nn.ModuleDict(members), streams, pool
        self.register_buffer("calibrations", torch.stack([task.uncalibrated() for _ in members]))

    @property
    def readers(self) -> dict[str, Encoder]:
        return {s: member.encoder for s, member in self.members.items()}

    def answers(self, vectors: Vectors, present: Tensor) -> tuple[Tensor, Tensor]:
        """What each member says, [P, B, A], and whether it can say anything, bool [P, B]."""
        answers = [self.task.answer(member.head(vectors[s]), self.calibrations[k])
                   for k, (s, member) in enumerate(self.members.items())]
        seen = present[:, [self.streams.index(s) for s in self.members]]
        return torch.stack(answers), seen.T

    def answer(self, vectors: Vectors, present: Tensor) -> Tensor:
        answers, seen = self.answers(vectors, present)
        return self.task.pooled(answers, seen) if self.pool is None else self.pool(answers, seen, self.task)
