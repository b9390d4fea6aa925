"""A trained model that learns further classes: its head gets a row for each of them, and its old rows stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from trivium.models.build import drawn
from trivium.models.network import Ensemble, Multimodal

if TYPE_CHECKING:
    from trivium.tasks import Task


def grow(model: Multimodal | Ensemble, task: Task, seed: int) -> None:
    """`model` predicts `task` from here on, which has the outputs of its own and maybe further ones behind them.

    Old rows of each head keep their bits; new ones are random, from the seed.
    """
    if isinstance(model, Multimodal):
        model.head = wider(model.head, task.outputs, seed, "head")
    else:
        for s, member in model.members.items():
            member.head = wider(member.head, task.outputs, seed, s)  # type: ignore[arg-type]
    model.task = task


def wider(head: nn.Linear, outputs: int, seed: int, name: str) -> nn.Linear:
    """A head of `outputs` rows that begins with those of `head`; itself where it has as many."""
    if head.out_features == outputs:
        return head
    with drawn(seed, f"{name}/further"):
        made = nn.Linear(head.in_features, outputs)
    with torch.no_grad():
        made.weight[: head.out_features], made.bias[: head.out_features] = head.weight, head.bias
    return made
