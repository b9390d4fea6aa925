"""The settings of the one loop, of the budget and of tuning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from trivium.settings.base import Count, Positive, Section, Share
from trivium.settings.errors import UserError


class Loop(Section):
    batch: Count  # samples
    weight_decay: Annotated[float, Field(ge=0)]
    warmup: Share  # of the steps
    clip: Positive  # norm of the gradient
    bad_steps: Literal["skip", "stop"] = "skip"  # what a loss or a gradient that is not finite does: see `guard`
    most_bad_steps: Annotated[float, Field(gt=0, le=1)] = 0.1  # share of a phase's steps that may be skipped, and one
    evaluations: Count  # times per phase that validation is measured
    augment: bool | dict[str, dict[str, Any]]  # true: each modality's usual one; or settings of some modalities
    mixup: Annotated[float, Field(ge=0, le=1)] = 0.0  # alpha of Beta(alpha, alpha); 0: no mixup
    balance: Literal["none", "weights", "sampling", "synthesis"] = "none"  # of classes
    device: Literal["auto", "cpu", "cuda"]
    workers: Literal["auto"] | Count  # seeds trained side by side
    micro_batches: Annotated[int, Field(ge=0, le=64)] = 0  # equal parts of a batch, each with a gradient of its own: 1,
    # 2, 4, ...; 0: a batch is one piece.  docs/scale.md
    processes: Annotated[int, Field(ge=1, le=64)] = 1  # that train one model together, each on some of these parts
    shard: bool = False  # each process holds its share of weights, gradients and moments: docs/scale.md

    @field_validator("augment", mode="before")
    @classmethod
    def _typed(cls, value: Any) -> Any:
        """Raises: UserError (no such modality, or no such setting of its augmentation)."""
        if not isinstance(value, Mapping):
            return value
        from trivium import modalities

        return {str(name): modalities.augmentation(str(name), own, "loop.augment").model_dump(mode="json")
                for name, own in value.items()}


    @model_validator(mode="after")
    def _whole(self) -> Loop:
        """Raises: UserError (parts that cannot be equal, or that processes cannot share)."""
        parts, processes = self.micro_batches, self.processes
        if parts & (parts - 1) or (parts and self.batch % parts):
            raise UserError(f"params.yaml: `loop.micro_batches: {parts}`: it is a power of two that divides "
                            f"`loop.batch` ({self.batch}), or 0 for none.")
        if processes & (processes - 1) or processes > max(1, parts):
            raise UserError(f"params.yaml: `loop.processes: {processes}`: it is a power of two and at most "
                            f"`loop.micro_batches` ({parts}), since each process trains on some of these.")
        if self.shard and processes == 1:
            raise UserError("params.yaml: `loop.shard: true` shares one model out among processes: set "
                            "`loop.processes` (1) to 2 or more, or `loop.shard` to false.")
        return self

    def decides(self) -> dict[str, Any]:
        """What weights depend on: not on who works, nor on what is not used."""
        left = {"workers", "processes", "bad_steps", "most_bad_steps"}
        left |= {name for name in ("micro_batches", "shard") if not getattr(self, name)}
        return self.model_dump(mode="json", exclude=left)


class Tune(Section):
    trials: Annotated[int, Field(ge=0, le=1000)] = 0  # of every strategy, at each seed; 0: settings stay as they are
    halving: Annotated[int, Field(ge=2, le=10)] = 3  # of so many trials, one goes on at each rung: see `tuning`


class Budget(Section):
    of: str  # the strategy whose training it pays for: an entry of `train` that starts from random weights
    epochs: Positive  # of that strategy's training: what they cost in FLOPs is everybody's budget
    flops: Positive | None  # or the FLOPs themselves
