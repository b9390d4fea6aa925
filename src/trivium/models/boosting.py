"""Gradient-boosted trees on frozen vectors as one small network: predicts and is saved as the others are.

The trees are arrays of nodes, evaluated here; scikit-learn is not needed for an answer. Of wide vectors they see a few
directions. Tables that nobody has trained an encoder for are seen column by column.

Legend: `B` samples, `S` streams, `D` width, `F` columns that trees see, `T` trees, `N` nodes of the largest one, `R`
raw outputs, `C` outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trivium.encoders.base import Encoder
from trivium.encoders.cells import Cells
from trivium.models.linear import Bag
from trivium.models.network import Model, Vectors
from trivium.tasks import Task

NODES = {"value": np.float64, "feature_idx": np.int64, "num_threshold": np.float64, "missing_go_to_left": np.bool_,
         "left": np.int64, "right": np.int64, "is_leaf": np.bool_}  # of scikit-learn's nodes, what an answer needs
AT_ONCE = 1 << 22  # pairs of a sample and a tree that are followed together


class Trees(nn.Module):
    """Sums of trees, [B, F] -> [B, R]; float64, as scikit-learn has it.

    output: which raw output each tree adds to, [T]; a node's children are places in its own tree.
    """

    def __init__(self, trees: int, nodes: int, raw: int) -> None:
        super().__init__()
        for name, kind in NODES.items():
            self.register_buffer(name, torch.from_numpy(np.zeros((trees, nodes), kind)))
        self.register_buffer("output", torch.zeros(trees, dtype=torch.int64))
        self.register_buffer("baseline", torch.zeros(raw, dtype=torch.float64))

    @classmethod
    def of(cls, trees: Sequence[np.ndarray], output: Sequence[int], baseline: np.ndarray) -> Trees:
        """trees: the `nodes` of scikit-learn's TreePredictor."""
        made = cls(len(trees), max(map(len, trees), default=1), len(baseline))
        for k, nodes in enumerate(trees):
            for name, kind in NODES.items():
                getattr(made, name)[k, : len(nodes)] = torch.from_numpy(nodes[name].astype(kind))
        made.output.copy_(torch.tensor(list(output), dtype=torch.int64))
        made.baseline.copy_(torch.from_numpy(baseline.astype(np.float64)))
        return made

    def about(self) -> dict[str, int]:
        """A JSON value; `Trees(**about)` takes this one's `state_dict`."""
        return {"trees": len(self.output), "nodes": self.value.shape[1], "raw": len(self.baseline)}

    def forward(self, x: Tensor) -> Tensor:
        size = max(1, AT_ONCE // max(1, len(self.output)))
        return torch.cat([self._sum(part) for part in x.double().split(size)])

    def _sum(self, x: Tensor) -> Tensor:
        count, width = self.value.shape
        start = torch.arange(count, device=x.device) * width
        node = start.expand(len(x), count)  # of each sample in each tree
        while count:
            leaf = self.is_leaf.flatten()[node]
            if bool(leaf.all()):
                break
            value = x.gather(1, self.feature_idx.flatten()[node])
            left = torch.where(value.isnan(), self.missing_go_to_left.flatten()[node],
                               value <= self.num_threshold.flatten()[node])
            after = start + torch.where(left, self.left.flatten()[node], self.right.flatten()[node])
            node = torch.where(leaf, node, after)
        raw = self.baseline.expand(len(x), -1)
        return raw.index_add(1, self.output, self.value.flatten()[node]) if count else raw.clone()


class Columns(Encoder):
    """A table as trees see it, [B, K, 2] -> [B, K]: a number as it is, a category by its code (the most usual first),
    NaN where it is missing.
    """

    gives = frozenset()

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.spec, self.width, self.patch = encoder.spec, encoder.spec.shape[0], ()
        self.register_buffer("number", torch.tensor([codes == 2 for _, codes in self.spec.columns]), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        number, code = x.unbind(-1)
        return torch.where(self.number, number, code).masked_fill(code == 0, torch.nan)


def reader(encoder: Encoder) -> Encoder:
    """What trees read a stream with whose encoder is `encoder`."""
    return Columns(encoder) if isinstance(encoder, Cells) else encoder


class Boosting(nn.Module):
    """parts: stream -> [D, F_s], or [V, K, F_s] of counts (see `linear.Bag`), or [D] where nothing is reduced."""

    def __init__(self, streams: Sequence[str], parts: Mapping[str, Sequence[int]], trees: Mapping[str, int],
                 task: Task) -> None:
        super().__init__()
        self.streams, self.shapes = tuple(streams), {s: list(parts[s]) for s in streams if s in parts}
        self.parts = nn.ModuleDict({s: _part(shape) for s, shape in self.shapes.items()})
        self.trees = Trees(**trees)
        self.register_buffer("spread", torch.zeros(trees["raw"], task.outputs, dtype=torch.float64))
        self.register_buffer("offset", torch.zeros(task.outputs, dtype=torch.float64))
        self.register_buffer("calibration", task.uncalibrated())

    def about(self) -> dict[str, Any]:
        """A JSON value; `Boosting(task=task, **about)` takes this one's `state_dict`."""
        return {"streams": list(self.streams), "parts": self.shapes, "trees": self.trees.about()}

    def columns(self, vectors: Vectors, present: Tensor) -> Tensor:
        """float64 [B, F]; `present`: bool [B, S]. NaN for the streams that a sample lacks."""
        found = [part(vectors[s]).double().masked_fill(~present[:, self.streams.index(s), None], torch.nan)
                 for s, part in self.parts.items()]
        return torch.cat(found, 1)

    def outputs(self, columns: Tensor) -> Tensor:
        """[B, C], before they are calibrated."""
        return (self.trees(columns) @ self.spread + self.offset).float()


def _part(shape: Sequence[int]) -> nn.Module:
    if len(shape) == 3:
        return Bag(*shape)
    return nn.Linear(*shape) if len(shape) == 2 else nn.Identity()


class Boosted(Model):
    """Frozen encoders with trees on their vectors. encoders: as `reader` gives them."""

    def __init__(self, encoders: Mapping[str, Encoder], boosting: Boosting, task: Task) -> None:
        super().__init__(task)
        self.encoders, self.boosting, self.streams = nn.ModuleDict(encoders), boosting, boosting.streams

    @property
    def readers(self) -> dict[str, Encoder]:
        return dict(self.encoders.items())

    def answer(self, vectors: Vectors, present: Tensor) -> Tensor:
        columns = self.boosting.columns(vectors, present)
        return self.task.answer(self.boosting.outputs(columns), self.boosting.calibration)
