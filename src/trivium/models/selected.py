"""A weighted mean of linear models on the vectors of the same frozen encoders; a classifier of one stream is one, too.

Legend: `P` members, `B` samples, `A` numbers of an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trivium.encoders.base import Encoder
from trivium.models import pools
from trivium.models.linear import Linear
from trivium.models.network import Model, Vectors
from trivium.models.pools import Mean
from trivium.tasks import Task


class Selected(Model):
    """members: by name, which read no other streams than the `encoders` do."""

    def __init__(self, encoders: Mapping[str, Encoder], members: Mapping[str, Linear], pool: Any, task: Task) -> None:
        super().__init__(task)
        self.encoders, self.names, self.members = nn.ModuleDict(encoders), tuple(members), nn.ModuleList(
            members.values())
        self.pool, self.streams = pool, next(iter(members.values())).streams

    @classmethod
    def empty(cls, about: Mapping[str, Any], encoders: Mapping[str, Encoder], task: Task) -> Selected:
        """From what `about` gave, to load weights into."""
        members = {name: Linear(**one) for name, one in about["members"]}
        read = _read(members.values(), encoders)
        return cls({s: encoders[s] for s in read}, members, pools.empty(about["pool"]), task)

    @classmethod
    def of(cls, encoders: Mapping[str, Encoder], members: Mapping[str, Linear], pool: Mean, task: Task,
           ) -> Selected:
        """The members that have a weight in `pool`, on as many of the `encoders` as these read."""
        kept = [k for k, weight in enumerate(pool.weights.tolist()) if weight]
        own = {name: one for k, (name, one) in enumerate(members.items()) if k in kept}
        return cls({s: encoders[s] for s in _read(own.values(), encoders)}, own,
                   Mean(pool.weights[kept], pool.calibration), task)

    def about(self) -> dict[str, Any]:
        """A JSON value, the members in their order."""
        return {"members": [[name, one.about()] for name, one in zip(self.names, self.members, strict=True)],
                "pool": pools.about(self.pool)}

    @property
    def readers(self) -> dict[str, Encoder]:
        return dict(self.encoders.items())

    def answer(self, vectors: Vectors, present: Tensor) -> Tensor:
        return self.pool(*answers(list(self.members), vectors, present, self.task), self.task)


def answers(members: Sequence[Any], vectors: Vectors, present: Tensor, task: Task) -> tuple[Tensor, Tensor]:
    """What each member says, [P, B, A], and whether it has a stream to say it of, bool [P, B]."""
    said = torch.stack([one(vectors, present, task) for one in members])
    seen = [present[:, [one.streams.index(s) for s in one.parts]].any(1) for one in members]
    return said, torch.stack(seen)


def _read(members: Any, among: Mapping[str, Encoder]) -> list[str]:
    """The streams that any of them reads, in order."""
    return [s for s in among if any(s in one.parts for one in members)]
