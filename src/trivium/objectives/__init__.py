"""Ways to make an encoder from one modality alone: one file per objective.

A task is an `nn.Module` with `.encoder`, `loss(batch, generator) -> scalar` and a flag `labels`. With labels it has
`logits(batch) -> [B, C]` and `nll(logits, y) -> float`, to choose weights by; without, `score(batch) -> scalar`, a loss
for that, mean over the batch.
To add one, write `objectives/<name>.py` with `build(encoder, classes, recipe)` and name it as a recipe's `objective`.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from torch import nn

    from trivium.config import Recipe
    from trivium.encoders.base import Encoder


def names() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(__path__))


def known(objective: str) -> None:
    """Raises: UserError when there is no such objective."""
    if objective not in names():
        raise UserError(f"params.yaml: there is no pretraining objective `{objective}`; known: {', '.join(names())}.")


def build(encoder: Encoder, classes: int, recipe: Recipe) -> nn.Module:
    """Raises: UserError when there is no such objective."""
    known(recipe.objective)
    return importlib.import_module(f"{__name__}.{recipe.objective}").build(encoder, classes, recipe)
