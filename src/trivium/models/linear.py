"""Linear probes on frozen vectors as one small network: predicts, is saved and is exported as the others are.

A dense stream's vector is [B, D], a text's its counts [B, L, 2], which are an embedding bag weighted by TF-IDF.

Legend: `B` samples, `S` streams of the data, `P` those that are read, `L` n-grams, `D` width, `C` outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from trivium.encoders.base import Encoder
from trivium.encoders.tfidf import TfIdf
from trivium.models.network import Model, Vectors
from trivium.tasks import Task

Way = Literal["mean", "concatenation"]  # a stream alone is the mean of one


class Bag(nn.Module):
    """A linear map of TF-IDF weights. Of the V buckets only the K that train has seen have weights."""

    def __init__(self, buckets: int, kept: int, outputs: int) -> None:
        super().__init__()
        self.tfidf = TfIdf(buckets)
        self.register_buffer("place", torch.zeros(buckets + 1, dtype=torch.int32))  # id -> row of `weight`
        self.weight = nn.Parameter(torch.zeros(kept + 1, outputs))  # row 0 is 0: padding, and what train never saw
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """int64 [B, L, 2] -> scores [B, C]."""
        ids, value = self.tfidf.weights(x)
        return nn.functional.embedding_bag(self.place[ids], self.weight, per_sample_weights=value,
                                           mode="sum") + self.bias

    def contributions(self, x: Tensor) -> Tensor:
        """[B, L, C]: what each n-gram adds to the scores."""
        ids, value = self.tfidf.weights(x)
        return self.weight[self.place[ids].long()] * value.unsqueeze(-1)


class Linear(nn.Module):
    """Scores of each stream that is read; `Task.combined` puts them together.

    streams: of the data, in the order of `present`.  dense: stream -> D.  counts: stream -> (V, K).
    calibration: the shape of the task's
    """

    def __init__(
        self, streams: Sequence[str], way: Way, outputs: int,
        dense: Mapping[str, int], counts: Mapping[str, Sequence[int]], calibration: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.streams, self.way, self.outputs = tuple(streams), way, outputs
        self.parts = nn.ModuleDict()
        for stream in self.streams:
            if stream in dense:
                self.parts[stream] = nn.Linear(dense[stream], outputs)
            elif stream in counts:
                buckets, kept = counts[stream]
                self.parts[stream] = Bag(buckets, kept, outputs)
        self.register_buffer("intercept", torch.zeros(outputs))
        self.register_buffer("nothing", torch.zeros(outputs))
        self.register_buffer("calibration", torch.ones(tuple(calibration)))

    @classmethod
    def of(
        cls, streams: Sequence[str], way: Way, weights: Mapping[str, np.ndarray], biases: Mapping[str, np.ndarray],
        intercept: np.ndarray, nothing: np.ndarray, calibration: Tensor, idf: Mapping[str, np.ndarray],
    ) -> Linear:
        """From plain arrays: weights [C, D] and biases [C] of the streams that are read; idf [V] of texts, for which D
        is V; intercept, nothing [C].
        """
        kept = {s: np.flatnonzero(weights[s].any(0)) for s in weights if s in idf}
        model = cls(streams, way, len(nothing), {s: w.shape[1] for s, w in weights.items() if s not in idf},
                    {s: (len(idf[s]), len(columns)) for s, columns in kept.items()}, calibration.shape)
        with torch.no_grad():
            for stream, part in model.parts.items():
                part.bias.copy_(torch.from_numpy(biases[stream]))
                if stream in kept:
                    columns = torch.from_numpy(kept[stream])
                    part.tfidf.idf.copy_(torch.from_numpy(idf[stream]))
                    part.place[columns + 1] = torch.arange(1, len(columns) + 1, dtype=torch.int32)
                    part.weight[1:] = torch.from_numpy(weights[stream][:, kept[stream]].T)
                else:
                    part.weight.copy_(torch.from_numpy(weights[stream]))
            model.intercept.copy_(torch.from_numpy(intercept))
            model.nothing.copy_(torch.from_numpy(nothing))
            model.calibration.copy_(calibration)
        return model.eval().requires_grad_(False)

    def about(self) -> dict[str, Any]:
        """A JSON value; `Linear(**about)` takes this one's `state_dict`."""
        parts = self.parts.items()
        return {"streams": list(self.streams), "way": self.way, "outputs": self.outputs,
                "dense": {s: part.in_features for s, part in parts if isinstance(part, nn.Linear)},
                "counts": {s: [part.tfidf.buckets, len(part.weight) - 1] for s, part in parts if isinstance(part, Bag)},
                "calibration": list(self.calibration.shape)}

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor, task: Task) -> Tensor:
        """The task's answer [B, A]; `present`: bool [B, S]."""
        scores = torch.stack([part(vectors[s]) for s, part in self.parts.items()], 1)
        here = present[:, [self.streams.index(s) for s in self.parts]]
        return task.combined(scores, here, self.way, self.intercept, self.nothing, self.calibration)

    def contributions(self, vectors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Text stream -> [B, L, C]: tf * IDF * weight of each n-gram, exactly what it adds to its stream's scores."""
        return {s: part.contributions(vectors[s]) for s, part in self.parts.items() if isinstance(part, Bag)}


class Probed(Model):
    """Frozen encoders with linear probes on their vectors."""

    def __init__(self, encoders: Mapping[str, Encoder], linear: Linear, task: Task) -> None:
        super().__init__(task)
        self.encoders, self.linear, self.streams = nn.ModuleDict(encoders), linear, linear.streams

    @property
    def readers(self) -> dict[str, Encoder]:
        return dict(self.encoders.items())

    def answer(self, vectors: Vectors, present: Tensor) -> Tensor:
        return self.linear(vectors, present, self.task)

