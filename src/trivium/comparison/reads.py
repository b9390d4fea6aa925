"""Which streams the model of a seed reads: a strategy that chooses may have left some aside.

What such a model says of a stream that it does not read is not about the stream, nor about its encoder: it was never
asked. Nothing was measured there, and that is no 0.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from trivium.evaluation.metrics import Evaluation
from trivium.training.records import Result


def read(tested: Evaluation) -> list[set[str]]:
    """Per seed, the streams that its model reads."""
    return [_of(tested.streams, seed.training) for seed in tested.seeds]


def _of(streams: Sequence[str], training: Result) -> set[str]:
    """`chosen` is the stream or the streams that were taken, or a way to join those of `members`, which were tried one
    by one.
    """
    taken = set((training.chosen or "").split("+"))
    if taken <= set(streams):
        return taken
    tried = {s for s in streams if s in (training.members or {})}
    return tried or set(streams)


def whole(stream_set: str, seeds: Sequence[Collection[str]]) -> bool:
    """Whether the models of all seeds read every stream of a set such as "text+image"."""
    return all(set(stream_set.split("+")) <= set(seen) for seen in seeds)


def some(stream_set: str, seeds: Sequence[Collection[str]]) -> bool:
    """Whether the model of every seed reads at least one stream of the set, so that it has something to answer from."""
    return all(set(stream_set.split("+")) & set(seen) for seen in seeds)
