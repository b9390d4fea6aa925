"""Worlds: rules with a known answer for how one symbol per stream relates to the label.

`c(y, r)` is the symbol y with probability r, else one drawn uniformly (y included).

    redundant   c(y, .9) in every stream
    dominant    text c(y, .75), image c(y, .5), audio c(y, .9): audio leads
    unique      three independent bits, one per stream; the label is all three: 8 classes
    synergy     text and image are random bits, audio is noise; the label is their exclusive or
    mixed       bits b, u, v: text b, image 2b + u, audio v; the label is 2b + (u xor v): 4 classes

A world is its joint distribution P(y, text, image, audio), so that what is drawn, its bits and its ceilings agree.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import product

import numpy as np

from trivium.data import meta
from trivium.data.settings import STREAMS

NAMES = ("redundant", "dominant", "unique", "synergy", "mixed")
FIDELITY = {"redundant": (0.9, 0.9, 0.9), "dominant": (0.75, 0.5, 0.9)}  # r of text, image, audio


@dataclass(frozen=True)
class World:
    name: str
    joint: np.ndarray  # float64 [C, text, image, audio], sums to 1; P(y) is uniform in every world
    streams: tuple[str, ...] = STREAMS  # of the joint's other axes

    @property
    def classes(self) -> int:
        return self.joint.shape[0]

    def symbols(self, stream: str) -> int:
        """How many symbols `stream` has."""
        return self.joint.shape[1 + self.streams.index(stream)]

    def draw(self, rng: np.random.Generator, n: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Labels int64 [n], in random order, class counts at most one apart; and the symbols int64 [n] per stream."""
        y = rng.permutation(np.arange(n) % self.classes)
        given = self.joint.reshape(self.classes, -1).cumsum(axis=1)
        given /= given[:, -1:]
        flat = (rng.random(n)[:, None] >= given[y]).sum(axis=1)
        return y, dict(zip(self.streams, np.unravel_index(flat, self.joint.shape[1:]), strict=True))

    def bits(self, streams: tuple[str, ...] = ()) -> float:
        """Mutual information between the label and the symbols of `streams` (all), in bits."""
        p = self._marginal(streams or self.streams)
        independent = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
        seen = p > 0
        return float((p[seen] * np.log2(p[seen] / independent[seen])).sum())

    def bayes(self, streams: tuple[str, ...] = ()) -> float:
        """The best accuracy that anybody can reach who sees the symbols of `streams` (all), 0-1."""
        return float(self._marginal(streams or self.streams).max(axis=0).sum())

    def meta(self, lost: Collection[str] = ()) -> meta.World:
        """Bits and accuracy ceilings of each stream alone, and of all together. lost: streams that say nothing"""
        left = tuple(m for m in self.streams if m not in lost)
        seen = {m: (m,) if m in left else () for m in self.streams} | {"all": left}
        return meta.World(name=self.name,
                          bits={key: round(self.bits(streams), 6) if streams else 0.0 for key, streams in seen.items()},
                          bayes={key: round(self.bayes(streams) if streams else 1 / self.classes, 6)
                                 for key, streams in seen.items()})

    def _marginal(self, streams: tuple[str, ...]) -> np.ndarray:
        """P(y, symbols) as float64 [C, combinations of symbols]."""
        unseen = tuple(1 + axis for axis, m in enumerate(self.streams) if m not in streams)
        return self.joint.sum(axis=unseen).reshape(self.classes, -1)


def world(name: str, size: int) -> World:
    """The world `name`; `size`: classes and symbols of redundant and dominant, where the rule leaves them open."""
    if name in FIDELITY:
        text, image, audio = (r * np.eye(size) + (1 - r) / size for r in FIDELITY[name])
        return World(name, np.einsum("yt,yi,ya->ytia", text, image, audio) / size)
    joint = np.zeros({"unique": (8, 2, 2, 2), "synergy": (2, 2, 2, 2), "mixed": (4, 2, 4, 2)}[name])
    for b, u, v in product((0, 1), repeat=3):
        cells = {
            "unique": (4 * b + 2 * u + v, b, u, v),
            "synergy": (b ^ u, b, u, v),
            "mixed": (2 * b + (u ^ v), b, 2 * b + u, v),
        }
        joint[cells[name]] = 1 / 8
    return World(name, joint)
