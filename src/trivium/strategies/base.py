"""The vocabulary that strategies are written in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from trivium.settings.base import Positive, Range, Section

Way = Literal["product", "mean", "selection", "stacking"]
ALL = ("encoders", "fusion", "head")
MOST_EPOCHS = 100  # of a head on cached features: its steps are nearly free, and more of them only overfit
TOP = ("fusion", "head")
LAST = re.compile(r"encoders\.last\(([1-9]\d*)\)")  # the last blocks of each encoder, and what stands behind them
Rate = Annotated[Positive, Range(3e-4, 3e-2, log=True)]  # peak learning rate of what starts from random weights


class Private(Section):
    """Differential privacy of the train rows, each of them alone: epsilon, and delta, far below one over their number.
    clip: the largest norm of a row's gradient.
    """

    epsilon: Positive
    delta: Annotated[float, Field(gt=0, lt=1)]
    clip: Positive = 1.0


@dataclass(frozen=True)
class Phase:
    """One run of the loop.

    train: what moves, all else is frozen: `fusion`, `head`, and of the encoders `encoders` (all of them),
    `encoders.last(2)` (of each the last two blocks), `lora` or `adapters` (what the plan puts into them).
    share: of the budget that pretraining left, 0-1.  lr: peak learning rate; encoder_lr: that of the encoders that we
    trained, published_lr: that of published ones; null: the same.  decay: what the rate of the last block of an encoder
    is multiplied with, and once more for each block below it.  objective: joint, or a mapping with the name of another
    one and its settings.  keeps: the weights of the evaluation that validation likes best, or the last ones.
    private: null: it is not.
    """

    name: str
    share: float
    lr: float
    train: tuple[str, ...] = ALL
    encoder_lr: float | None = None
    published_lr: float | None = None
    objective: dict[str, Any] = field(default_factory=lambda: {"name": "joint"})
    decay: float = 1.0
    keeps: Literal["best", "last"] = "best"
    private: Private | None = None

    def __post_init__(self) -> None:
        for part in self.train:
            if part not in (*ALL, "lora", "adapters") and not LAST.fullmatch(part):
                raise ValueError(f"phase {self.name}: there is no part `{part}` that could move")

    @property
    def moves(self) -> bool:
        """Whether anything in the encoders does."""
        return bool(set(self.train) - set(TOP))

    @property
    def last(self) -> int:
        """Of how many last blocks of each encoder that is said; 0: of none."""
        return max((int(found[1]) for part in self.train if (found := LAST.fullmatch(part))), default=0)


@dataclass(frozen=True)
class Plan:
    """A strategy.

    combine: `fusion` trains `encoders -> fusion -> head`; `linear` fits linear probes on frozen vectors;
        `boosting` grows trees on them; `selection` weighs such probes and the recipe's unimodal classifiers;
        `prompts` takes the nearest class prompt in a space that components share; `ensemble` pools the answers of the
        classifiers in a `way`; `best` keeps the one with the lowest validation NLL.
    fusion: a name, or a mapping with `name` and its settings.
    """

    combine: Literal["fusion", "linear", "boosting", "selection", "prompts", "ensemble", "best"]
    fusion: Any = "concat"
    phases: tuple[Phase, ...] = ()
    teachers: bool = False  # the recipe's components teach; the encoders start from random weights
    student: float | None = None  # share of its components' width that the encoders have
    probe: bool = False  # the head starts from a linear probe on the frozen vectors; the fusion is `plain`
    lora: tuple[int, int] | None = None  # low-rank updates of the encoders: their rank, and of how many last blocks
    adapters: tuple[int, int] | None = None  # behind blocks of the encoders: their width, and behind how many last ones
    estimate: float = 0.0  # share of the budget that says how to weigh the losses of `gradient_blending`, 0-1
    soup: int = 1  # evaluations of the last phase whose weights may be averaged, the best ones on validation
    way: Way = "product"  # to pool answers: see `training.pooling`
    line: int | None = None  # steps on the line from the weights before the last phase to those behind it

    def __post_init__(self) -> None:
        names = [phase.name for phase in self.phases]
        if self.phases and self.phases[-1].keeps != "best":
            raise ValueError(f"phase {names[-1]}: the last phase keeps the weights that validation likes best")
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
    lr: Rate = 3e-3


def named(fusion: str | dict[str, Any]) -> dict[str, Any]:
    """As a mapping."""
    return {"name": fusion} if isinstance(fusion, str) else dict(fusion)
