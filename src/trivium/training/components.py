"""What a recipe leaves in `models/pretrain/RECIPE`: a component per stream and seed, and `training.json`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.data.tables import read_json

if TYPE_CHECKING:
    from torch import nn

    from trivium.encoders.base import Encoder

PRETRAINED = Path("models/pretrain")


def folder(recipe: str, stream: str, seed: int) -> Path:
    return PRETRAINED / recipe / stream / f"seed_{seed}"


def load(recipe: str, stream: str, seed: int) -> nn.Module:
    """An encoder; or a classifier of one stream, where the recipe trained it with labels."""
    from trivium import models

    return models.load(folder(recipe, stream, seed))


def encoder(recipe: str, stream: str, seed: int) -> Encoder:
    from trivium.models.network import Unimodal

    model: Any = load(recipe, stream, seed)
    return model.encoder if isinstance(model, Unimodal) else model


def units(recipe: str) -> list[dict[str, Any]]:
    """The records of `training.json`: one per group of streams and seed."""
    return read_json(PRETRAINED / recipe / "training.json")["units"]


def charged(recipe: str, seed: int) -> float:
    """FLOPs that the recipe cost at `seed`, all streams together: what a strategy that starts from it is charged."""
    return sum((unit["flops"] for unit in units(recipe) if unit["seed"] == seed), 0.0)
