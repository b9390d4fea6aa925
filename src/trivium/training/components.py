"""What a recipe leaves in `models/pretrain/RECIPE`: a component per stream and seed, and `training.json`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.training.records import Pretrained

if TYPE_CHECKING:
    from torch import nn

    from trivium.data.store import Store
    from trivium.encoders.base import Encoder
    from trivium.models.kept import Kept

PRETRAINED = Path("models/pretrain")


def folder(recipe: str, stream: str, seed: int) -> Path:
    """Where the component of `seed` is: in `all`, where nothing in it depends on the seed."""
    return whole if (whole := PRETRAINED / recipe / stream / "all").is_dir() else (
        PRETRAINED / recipe / stream / f"seed_{seed}")


def kept(recipe: str, stream: str, seed: int) -> Kept | None:
    """The vectors that were made once for all, where the component is frozen as it was published."""
    from trivium.models import kept

    where = folder(recipe, stream, seed)
    return kept.Kept(where) if kept.there(where) else None


def apart(recipe: str, streams: Iterable[str]) -> dict[str, str]:
    """Streams whose weights stay with the recipe, and where below `models/pretrain`: see `models.files`."""
    return {s: f"{recipe}/{s}/all" for s in streams if (PRETRAINED / recipe / s / "all").is_dir()}


def inputs(store: Store) -> list[Path]:
    """What whoever starts from the components of the store's recipe reads: see `engines.Needs`."""
    return [*store.inputs, PRETRAINED / store.recipe]


def load(recipe: str, stream: str, seed: int) -> nn.Module:
    """An encoder; or a classifier of one stream, where the recipe trained it with labels."""
    from trivium import models

    return models.load(folder(recipe, stream, seed))


def encoder(recipe: str, stream: str, seed: int) -> Encoder:
    from trivium.models.network import Unimodal

    model: Any = load(recipe, stream, seed)
    return model.encoder if isinstance(model, Unimodal) else model


def told(recipe: str) -> Pretrained:
    return Pretrained.read(PRETRAINED / recipe / "training.json")


def charged(recipe: str, seed: int) -> float:
    """FLOPs that the recipe cost at `seed`, all streams together: what a strategy that starts from it is charged."""
    return sum((unit.flops for unit in told(recipe).units if unit.seed in (seed, None)), 0.0)
