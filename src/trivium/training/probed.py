"""The strategy `linear` at a seed: vectors of train and validation, probes on them, one small model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from trivium import models
from trivium.data.store import Store
from trivium.machine import device as devices
from trivium.models import files
from trivium.models.linear import Linear, Probed
from trivium.training import components, linear, records, vectors
from trivium.training.jobs import Report
from trivium.training.linear import Fitted, Tried

if TYPE_CHECKING:
    from trivium.encoders.base import Encoder
    from trivium.training.strategy import Unit


@torch.no_grad()
def train(unit: Unit, folder: Path, report: Report) -> records.Seed:
    """Fit and write `<folder>/model`. Returns the record for training.json."""
    seed, kind = unit.seed, devices.kind(unit.loop.device)
    devices.deterministic(kind)
    store = Store(unit.entry.start, device=kind)
    encoders: dict[str, Any] = {s: components.encoder(store.recipe, s, seed).to(kind) for s in store.streams}
    found, own = fit(store, encoders, seed)
    report(1, 1)
    made = model(store, encoders, found)
    about = files.describe("linear", store.encoders, store.specs, made.task, linear=made.linear.about(),
                           features=store.digest, apart=components.apart(store.recipe, made.readers))
    models.save(made.cpu(), about, folder / "model")
    spent = components.charged(store.recipe, seed)
    return records.Seed(
        seed=seed, history=[], calibration=found.chosen.calibration.tolist(), chosen=_way(found.chosen),
        validation=records.Reached(nll=found.chosen.nll, score=found.chosen.score),
        members={_way(one): records.Member(nll=one.nll, score=one.score) for one in found.tried},
        flops=records.Spent(budget=unit.limit, pretrain=spent, train=own, total=spent + own),
        parameters=records.Parameters(total=sum(p.numel() for p in made.parameters()),
                                      trained=sum(p.numel() for p in made.linear.parameters())))


def fit(store: Store, encoders: Mapping[str, Any], seed: int) -> tuple[Fitted, float]:
    """Probes on the vectors of the frozen `encoders`; and what it cost: the train rows' pass, and the arithmetic of all
    strengths tried (FLOPs).
    """
    rows = {split: store.rows(seed, split) for split in ("train", "val")}
    read = {split: {s: _vectors(store, s, encoders[s], these, seed) for s in store.streams}
            for split, these in rows.items()}
    present = {split: {s: store.has(s)[these] for s in store.streams} for split, these in rows.items()}
    y = {split: store.labels(these) for split, these in rows.items()}
    found = linear.fit(read["train"], present["train"], y["train"], read["val"], present["val"], y["val"],
                       store.task_at(seed), weight=store.weights(rows["train"]))
    return found, found.flops + sum(vectors.cost(store, s, encoders[s], rows["train"], seed) for s in store.streams)


def _vectors(store: Store, stream: str, encoder: Encoder, rows: np.ndarray, seed: int) -> Any:
    """[N, D]: sparse TF-IDF of counts, kept vectors, or those that the encoder makes now."""
    if store.specs[stream].kind == "counts":
        return encoder.transform(store.ragged(stream).csr(rows, encoder.buckets))  # type: ignore[operator]
    return vectors.of(store, stream, encoder, rows, seed).float().numpy()


def model(store: Store, encoders: dict[str, Any], found: Fitted) -> Probed:
    """What answers by the `found` probes on the vectors of the `encoders`."""
    answer = found.answer
    idf = {s: encoders[s].idf.cpu().numpy() for s in answer.weights if store.specs[s].kind == "counts"}
    probes = Linear.of(store.streams, answer.way, answer.weights, answer.biases, answer.intercept, found.nothing,
                       found.chosen.calibration, idf)
    return Probed({s: encoders[s] for s in probes.parts}, probes, found.chosen.task)


def _way(one: Tried) -> str:
    """`text`, `mean of text, image`, `concatenation`: for people."""
    if len(one.streams) == 1:
        return one.streams[0]
    return one.way if one.way == "concatenation" else "mean"
