"""The vocabulary that strategies are written in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from trivium.settings.base import Positive, Section

Part = Literal["encoders", "lora", "fusion", "head"]
ALL: tuple[Part, ...] = ("encoders", "fusion", "head")
MOST_EPOCHS = 100  # of a head on cached features: its steps are nearly free, and more of them only overfit
TOP: tuple[Part, ...] = ("fusion", "head")


@dataclass(frozen=True)
class Phase:
    """One run of the loop. Parts not in `train` are frozen.

    share: of the budget that pretraining left, 0-1.  lr: peak learning rate; encoder_lr: that of the encoders that we
    trained, published_lr: that of published ones; null: the same.  objective: joint, or a mapping with the name of
    another one and its settings.
    """

    name: str
    share: float
    lr: float
    train: tuple[Part, ...] = ALL
    encoder_lr: float | None = None
    published_lr: float | None = None
    objective: dict[str, Any] = field(default_factory=lambda: {"name": "joint"})


@dataclass(frozen=True)
class Plan:
    """A strategy.

    combine: `fusion` trains `encoders -> fusion -> head`; `linear` fits linear probes on frozen vectors;
        `boosting` grows trees on them; `prompts` takes the nearest class prompt in their common space; `ensemble` sums
        the log-probabilities of the recipe's unimodal classifiers; `best` keeps the one with the lowest validation NLL.
    fusion: a name, or a mapping with `name` and its settings.
    """

    combine: Literal["fusion", "linear", "boosting", "prompts", "ensemble", "best"]
    fusion: Any = "concat"
    phases: tuple[Phase, ...] = ()
    teachers: bool = False  # the recipe's components teach; the encoders start from random weights
    probe: bool = False  # the head starts from a linear probe on the frozen vectors; the fusion is `plain`
    lora: tuple[int, int] | None = None  # low-rank updates of the encoders: their rank, and of how many last blocks

    def __post_init__(self) -> None:
        names = [phase.name for phase in self.phases]
        if len(set(names)) < len(names) or sum(phase.share for phase in self.phases) > 1 + 1e-9:
            raise ValueError(f"phases need names of their own ({', '.join(names)}) and shares that sum to 1 at most")


class Common(Section):
    """What every entry of `train` has. start: a recipe, an entry of `pretrain`. title: for people; "": made up."""

    start: str
    strategy: str
    title: str = ""


class Fused(Common):
    """Settings that strategies with a fusion share. `lr`: peak learning rate."""

    fusion: str | dict[str, Any] = Field(default="concat")
    lr: Positive = 3e-3
