"""The settings of the one loop, of the budget and of tuning."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trivium.settings.base import Count, Positive, Section, Share


class Loop(Section):
    batch: Count  # samples
    weight_decay: Annotated[float, Field(ge=0)]
    warmup: Share  # of the steps
    clip: Positive  # norm of the gradient
    evaluations: Count  # times per phase that validation is measured
    augment: bool
    device: Literal["auto", "cpu", "cuda"]
    workers: Literal["auto"] | Count  # seeds trained side by side


class Tune(Section):
    trials: Annotated[int, Field(ge=0, le=1000)] = 0  # of every strategy, at each seed; 0: settings stay as they are
    halving: Annotated[int, Field(ge=2, le=10)] = 3  # of so many trials, one goes on at each rung: see `tuning`


class Budget(Section):
    of: str  # the strategy whose training it pays for: an entry of `train` that starts from random weights
    epochs: Positive  # of that strategy's training: what they cost in FLOPs is everybody's budget
    flops: Positive | None  # or the FLOPs themselves
