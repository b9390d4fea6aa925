"""What is done where classes are not equally common, in training alone: rows that weigh more, that come more often, or
that are made up. Counts are those of the train rows.

Legend: `N` rows, `D` width, `S` streams.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch

from trivium.data.store import Batch
from trivium.encoders.base import vector
from trivium.training.feed import Feed
from trivium.training.mixup import between

NEIGHBOURS = 5  # as in the paper


def apply(feed: Feed, how: str, y: np.ndarray) -> Feed:
    """`feed`, of train rows with the classes y [N], as `loop.balance` wants it: all classes weigh the same, or come
    equally often. See `synthesised` for the third way.
    """
    weight = torch.from_numpy(weights(y)) if how in ("weights", "sampling") else None
    feed.weight = weight if how == "weights" else None
    feed.chance = weight if how == "sampling" else None
    return feed


def weights(y: np.ndarray) -> np.ndarray:
    """float32 [N], the mean is 1: one over how common a row's class is, so that all classes weigh the same."""
    _, place, counts = np.unique(y, return_inverse=True, return_counts=True)
    return (len(y) / (len(counts) * counts[place])).astype(np.float32)


def synthesised(feed: Feed) -> Feed:
    """A feed of vectors with further samples, until each class has as many as the most common one (SMOTE; Chawla et al.
    2002, arXiv 1106.1813). A new one lies between a sample of its class and one of the five nearest of this class that
    have the same streams, at a place that is drawn evenly; it is the same place for all streams. Distances are
    Euclidean over all streams, in deviations of each column. One that has no neighbour is repeated.
    """
    known = feed.memory
    assert known is not None and known.encoded
    rng = np.random.default_rng(feed.seed)
    y, present = known.y.cpu().numpy(), known.present.cpu().numpy()
    columns = torch.cat([vector(x) * known.present[:, [k]] for k, x in enumerate(known.inputs.values())], 1).cpu()
    deviation = columns.std(0)
    columns /= torch.where(deviation > 0, deviation, 1.0)
    counts = np.unique(y, return_counts=True)
    bases, partners = list[np.ndarray](), list[np.ndarray]()
    for one, count in zip(*counts, strict=True):
        base = rng.choice(np.flatnonzero(y == one), counts[1].max() - count)
        bases.append(base)
        partners.append(_neighbours(columns.numpy(), y == one, present, rng)[base])
    base, partner = (torch.from_numpy(np.concatenate(one)).to(known.y.device) for one in (bases, partners))
    share = torch.from_numpy(rng.random(len(base), np.float32)).to(known.y.device)
    own, other = known.take(base), known.take(partner)
    inputs = {s: between(x, other.inputs[s], own.present[:, k], own.present[:, k], 1 - share)
              for k, (s, x) in enumerate(own.inputs.items())}
    rows = np.concatenate([feed.rows, feed.rows[base.cpu().numpy()]])
    return Feed(Batch.joined([known, replace(own, inputs=inputs)]), rows, feed.seed, feed.device, store=feed.store)


def _neighbours(columns: np.ndarray, chosen: np.ndarray, present: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """int64 [N]: of each `chosen` row one of the nearest among them that have the same streams; else the row itself."""
    from sklearn.neighbors import NearestNeighbors

    found = np.arange(len(columns))
    for streams in np.unique(present[chosen], axis=0):
        rows = np.flatnonzero(chosen & (present == streams).all(1))
        if len(rows) > 1:
            near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(rows) - 1)).fit(columns[rows])
            places = near.kneighbors(return_distance=False)  # none is its own neighbour
            found[rows] = rows[places[np.arange(len(rows)), rng.integers(places.shape[1], size=len(rows))]]
    return found


def cost(counts: Iterable[int], width: int) -> float:
    """FLOPs of all distances within the classes that get new samples. width: D of all streams together."""
    each = list(counts)
    return float(sum(3 * width * count**2 for count in each if count < max(each)))
