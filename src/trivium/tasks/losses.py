"""What training minimises, of classes and of tags: `task: {name: classification, loss: focal}`, or with settings of its
own, `loss: {name: focal, gamma: 1}`.

A loss is for training alone. Weights are chosen, models calibrated and strategies compared by the likelihood, whatever
the loss is, and linear probes and trees keep a loss of their own.

Legend: `B` samples, `C` classes or tags, `N` rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from trivium.settings import parts
from trivium.settings.base import Section, Share
from trivium.settings.errors import UserError
from trivium.tasks.base import Array

if TYPE_CHECKING:
    from torch import Tensor

LEAST = 1e-8  # of 1 - p, so that a power of it has a finite slope

Exponent = Annotated[float, Field(ge=0)]


class CrossEntropy(Section):
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0  # share of the target that all classes get alike


class Binary(Section):
    """Binary cross-entropy of each tag."""


class Focal(Section):
    """Cross-entropy times (1 - p)^gamma for the probability p of what is true, so that what is learned already counts
    less (Lin et al. 2017, arXiv 1708.02002, without their alpha). gamma = 0 is cross-entropy.
    """

    gamma: Exponent = 2.0


class Balanced(Section):
    """Cross-entropy in which a row weighs 1 / E(n) for the n train rows that are like it, where E(n) = (1 - beta^n) /
    (1 - beta) is the effective number of rows (Cui et al. 2019, arXiv 1901.05555, eq. 2). beta = 0 is cross-entropy;
    near 1, each class weighs the same.
    """

    beta: Annotated[float, Field(ge=0, lt=1)] = 0.999


class Asymmetric(Section):
    """Binary cross-entropy times (1 - p)^positive where a sample has the tag; where it has not, of probabilities that
    are lowered by `margin`, p' = max(p - margin, 0), times p'^negative (Ridnik et al. 2021, arXiv 2009.14119).
    """

    positive: Exponent = 0.0
    negative: Exponent = 4.0
    margin: Share = 0.05


class SoftF1(Section):
    """1 less the macro F1 of a batch, with probabilities in place of decisions (Bénédict et al. 2021, arXiv 2108.10566,
    without their sigmoid around outputs); classes that the batch lacks are left out.
    """


CLASSES: dict[str, type[Section]] = {"ce": CrossEntropy, "focal": Focal, "balanced": Balanced, "f1": SoftF1}
TAGS: dict[str, type[Section]] = {"bce": Binary, "focal": Focal, "balanced": Balanced, "asymmetric": Asymmetric,
                                  "f1": SoftF1}


def chosen(value: Any, known: Mapping[str, type[Section]], where: str = "task.loss") -> str | dict[str, Any]:
    """`value` of params.yaml, checked: the name alone where all settings have their defaults, else with all of them.
    Raises: UserError.
    """
    name, own = parts.split(value, where)
    if name not in known:
        raise UserError(f"params.yaml: `{where}`: there is no loss `{name}`; {parts.nearest(name, known)}")
    settings = parts.typed(known[name], own, where)
    return name if settings == known[name]() else {"name": name} | settings.model_dump(mode="json")


def settings(value: str | Mapping[str, Any], known: Mapping[str, type[Section]]) -> Any:
    """The typed settings of what `chosen` gave."""
    name, own = parts.split(value, "task.loss")
    return known[name].model_validate(own)


def effective(rows: Array, beta: float) -> Array:
    """Weights 1 / E(rows), see `Balanced`, at a mean of 1 over all rows. rows: [G, ...], of each of G groups."""
    weight = (1 - beta) / (1 - beta ** np.maximum(rows, 1))
    return weight * (rows.sum(0) / (weight * rows).sum(0))


def focus(each: Tensor, gamma: float) -> Tensor:
    """Cross-entropies, any shape, to focal losses."""
    return each * (1 - (-each).exp()).clamp(min=LEAST) ** gamma


def asymmetric(outputs: Tensor, goal: Tensor, own: Asymmetric) -> Tensor:
    """[B, C] of logits and of 0 and 1."""
    import torch
    from torch.nn.functional import logsigmoid

    p = outputs.sigmoid()
    yes = -logsigmoid(outputs) * (1 - p).clamp(min=LEAST) ** own.positive
    lowered = (p - own.margin).clamp(min=LEAST)
    sure = -logsigmoid(-outputs) if own.margin == 0 else -(1 - lowered).log()
    return torch.where(goal > 0, yes, sure * lowered**own.negative)


def soft_f1(p: Tensor, goal: Tensor, weight: Tensor | None = None) -> Tensor:
    """`SoftF1` of probabilities [B, C] and of 0 and 1 [B, C], as one number; weight: of each sample [B]."""
    share = 1.0 if weight is None else weight.unsqueeze(1)
    own, both, total = ((share * one).sum(0) for one in (goal, p * goal, p + goal))  # [C]
    there = (own > 0).to(p.dtype)
    each = 2 * both / total.clamp(min=1e-12)
    return 1 - (each * there).sum() / there.sum().clamp(min=1)
