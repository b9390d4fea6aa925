"""How well one model predicts the label from each set of streams alone.

`trivium.comparison.information` makes bits of it: I(Y; S) >= H(Y) - cross-entropy of any prediction of Y from S.

Legend: `B` samples, `C` classes, `P` orders.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from trivium.data.store import Batch
from trivium.evaluation import encoded
from trivium.evaluation.contribution import restricted, subsets
from trivium.evaluation.metrics import Information, Nll
from trivium.models.network import Model
from trivium.tasks.base import LOWEST
from trivium.tasks.temperature import temperature

ORDERS = 4  # samples whose absent streams a restricted prediction is averaged over
MOST_CLASSES = 40  # with more, tables are too large and too empty for redundant and unique bits


@torch.no_grad()
def measure(model: Model, val: Batch, test: Batch) -> Information:
    """How well `model`, whose task is one class of several, predicts from each subset; `val`, `test`: encoded batches.

    A model is restricted by a presence mask, or by averaging its probabilities over other samples' absent streams,
    whichever has the lower NLL on validation, after a temperature fitted there. One part in n + 1 of each answer is
    spread evenly over the classes: a model that was right on all n validation samples is not infinitely sure.
    There are no tables with more than `MOST_CLASSES` classes.
    """
    doubt, classes = 1 / (len(val) + 1), len(model.task.categories)
    others = {len(batch): encoded.cycles(len(batch), ORDERS, seed=1) for batch in (val, test)}
    found, tables = {}, {}
    for shown in subsets(model.streams):
        if not shown:
            continue
        candidates = []
        for restrict in (_masked, _averaged):
            on_val, on_test = (restrict(model, batch, shown, others[len(batch)]) for batch in (val, test))
            scale = temperature(on_val, val.y)
            nll = (_nll(x, of.y, scale, doubt) for x, of in ((on_val, val), (on_test, test)))
            candidates.append((*nll, on_test.argmax(1)))
        best = min(candidates, key=lambda c: c[0])
        found["+".join(shown)] = Nll(val=best[0], test=best[1])
        if len(shown) == 1 and classes <= MOST_CLASSES:
            there = test.present[:, model.streams.index(shown[0])]
            guess = torch.where(there, best[2], classes)
            tables[shown[0]] = torch.bincount(test.y * (classes + 1) + guess, minlength=classes * (classes + 1))
    return Information(
        subsets=found, labels=torch.bincount(test.y, minlength=classes).tolist(),
        tables={m: table.view(classes, classes + 1).tolist() for m, table in tables.items()},
    )


def _masked(model: Model, batch: Batch, shown: Sequence[str], others: Tensor) -> Tensor:
    mask = torch.tensor([m in shown for m in model.streams], device=batch.present.device)
    return model.answer(batch.inputs, batch.present & mask).double()


def _averaged(model: Model, batch: Batch, shown: Sequence[str], others: Tensor) -> Tensor:
    return restricted(model, batch, shown, others).double().logsumexp(0) - math.log(len(others))


def _nll(log_probabilities: Tensor, y: Tensor, scale: float, doubt: float) -> float:
    scaled = (log_probabilities.clamp(min=LOWEST) / scale).softmax(-1)
    return -((1 - doubt) * scaled + doubt / scaled.shape[-1]).log().gather(1, y[:, None]).mean().item()
