"""The strategy `boosting` at a seed: vectors of train and validation, those that are wide in fewer directions, trees.

Legend: `N` samples, `D` width, `V` buckets of n-grams, `F` columns.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from trivium import models
from trivium.data.store import Store
from trivium.machine import device as devices
from trivium.models import files
from trivium.models.boosting import Boosted, Boosting, reader
from trivium.models.linear import Bag
from trivium.training import components, records, trees, vectors
from trivium.training.jobs import Report
from trivium.training.trees import Grown

if TYPE_CHECKING:
    from trivium.encoders.base import Encoder
    from trivium.training.strategy import Unit

    Reduced = tuple[nn.Module, list[int], float]  # what `_reduced` gives

DIRECTIONS = 64  # that trees see of a stream at most
POWERS = 7  # times that the randomised decomposition multiplies with the data and back (Halko et al. 2011)


@torch.no_grad()
def train(unit: Unit, folder: Path, report: Report) -> records.Seed:
    """Fit and write `<folder>/model`. Returns the record for training.json."""
    seed, kind = unit.seed, devices.kind(unit.loop.device)
    devices.deterministic(kind)
    store = Store(unit.entry.start, device=kind)
    encoders: dict[str, Any] = {s: reader(components.encoder(store.recipe, s, seed)).to(kind) for s in store.streams}
    rows = {split: store.rows(seed, split) for split in ("train", "val")}
    reduced = {s: _reduced(store, s, encoders[s], rows["train"], seed) for s in store.streams}
    columns = {split: _columns(store, encoders, reduced, these, seed) for split, these in rows.items()}
    y = {split: store.labels(these) for split, these in rows.items()}
    task = store.task_at(seed)
    ends = np.cumsum([0, *(shape[-1] for _, shape, _ in reduced.values())]).tolist()
    own = {s: range(start, end) for s, start, end in zip(store.streams, ends, ends[1:], strict=False)}
    found = trees.grow(columns["train"], y["train"], columns["val"], y["val"], own, task, seed, report,
                       store.weights(rows["train"]))
    model = _model(store, encoders, reduced, found, task)
    seen = np.concatenate([columns["val"][:, own[s]] for s in found.chosen], 1)
    outputs, truth = model.boosting.outputs(torch.from_numpy(seen)), torch.from_numpy(y["val"])
    model.boosting.calibration.copy_(task.calibration(outputs, truth))
    answers = task.answer(outputs, model.boosting.calibration)
    model.task = task.decided(answers, truth)
    about = files.describe("boosted", store.encoders, store.specs, model.task, boosting=model.boosting.about(),
                           features=store.digest, apart=components.apart(store.recipe, model.readers))
    models.save(model.cpu(), about, folder / "model")
    spent, paid = components.charged(store.recipe, seed), found.flops + sum(cost for *_, cost in reduced.values())
    size = sum(value.numel() for value in model.boosting.trees.state_dict().values())
    return records.Seed(
        seed=seed, history=[], calibration=model.boosting.calibration.tolist(), chosen=_way(found),
        members={name: records.Member(nll=nll) for name, nll in found.tried.items()},
        validation=records.Reached(nll=-task.log_likelihood(answers, truth).mean().item(),
                                   score=model.task.score(answers, truth)),
        flops=records.Spent(budget=unit.limit, pretrain=spent, train=paid, total=spent + paid),
        parameters=records.Parameters(total=size + sum(p.numel() for p in model.parameters()), trained=size))


def _reduced(store: Store, stream: str, encoder: Encoder, rows: np.ndarray, seed: int) -> Reduced:
    """What makes at most `DIRECTIONS` columns of a stream's vectors, its shape (see `Boosting`), and what the vectors
    and it cost (FLOPs): fitted on those of the train `rows` that have the stream.
    """
    rows = rows[store.has(stream)[rows]]
    if store.specs[stream].kind == "counts":
        return _of_counts(store, stream, encoder, rows, seed)
    cost = vectors.cost(store, stream, encoder, rows, seed)
    if encoder.width <= DIRECTIONS:
        return nn.Identity(), [encoder.width], cost
    x = vectors.of(store, stream, encoder, rows, seed).double().numpy()
    mean, deviation = x.mean(0), x.std(0)
    scale = 1 / np.where(deviation > 1e-5 * np.abs(mean) + 1e-12, deviation, np.inf)
    basis = _directions((x - mean) * scale, seed) * scale  # [F, D]
    part = nn.Linear(encoder.width, len(basis))
    part.weight.copy_(torch.from_numpy(basis))
    part.bias.copy_(torch.from_numpy(-basis @ mean))
    return part, [encoder.width, len(basis)], cost + _cost(x.size, len(basis))


def _of_counts(store: Store, stream: str, encoder: Any, rows: np.ndarray, seed: int) -> Reduced:
    x = encoder.transform(store.ragged(stream).csr(rows, encoder.buckets)).astype(np.float64)
    kept = np.unique(x.indices)
    basis = _directions(x[:, kept], seed)
    part = Bag(encoder.buckets, len(kept), len(basis))
    part.tfidf.idf.copy_(encoder.idf.cpu())
    part.place[torch.from_numpy(kept) + 1] = torch.arange(1, len(kept) + 1, dtype=torch.int32)
    part.weight[1:] = torch.from_numpy(basis.T)
    return part, [encoder.buckets, len(kept), len(basis)], _cost(x.nnz, len(basis))


def _directions(x: Any, seed: int) -> np.ndarray:
    """[F, D]: the directions in which the rows of `x` [N, D], dense or sparse, are longest."""
    from sklearn.utils.extmath import randomized_svd
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return randomized_svd(x, min(DIRECTIONS, *x.shape), n_iter=POWERS, random_state=seed)[2]


def _cost(numbers: int, directions: int) -> float:
    """FLOPs of the products with the data, which are most of it; ten directions are drawn besides."""
    return 2.0 * numbers * (directions + 10) * 2 * (POWERS + 1)


def _columns(store: Store, encoders: dict[str, Any], reduced: dict[str, Reduced],
             rows: np.ndarray, seed: int) -> np.ndarray:
    """float64 [N, F], NaN for the streams that a sample lacks; as `Boosting.columns`."""
    found = []
    for s in store.streams:
        part = reduced[s][0]
        pieces = [part(vectors.of(store, s, encoders[s], rows[k: k + vectors.BATCH], seed)).double().numpy()
                  for k in range(0, len(rows), vectors.BATCH)]
        x = np.concatenate(pieces)
        x[~store.has(s)[rows]] = np.nan
        found.append(x)
    return np.concatenate(found, 1)


def _model(store: Store, encoders: dict[str, Any], reduced: dict[str, Reduced], found: Grown,
           task: Any) -> Boosted:
    boosting = Boosting(store.streams, {s: reduced[s][1] for s in found.chosen}, found.trees.about(), task)
    for s in found.chosen:
        boosting.parts[s].load_state_dict(reduced[s][0].state_dict())
    boosting.trees.load_state_dict(found.trees.state_dict())
    boosting.spread.copy_(torch.from_numpy(found.spread))
    boosting.offset.copy_(torch.from_numpy(found.offset))
    return Boosted({s: encoders[s] for s in found.chosen}, boosting, task).eval().requires_grad_(False)


def _way(found: Grown) -> str:
    """`text`, `sum`, `together`: for people."""
    return "together" if found.together else "sum" if len(found.chosen) > 1 else found.chosen[0]
