"""Gradual unfreezing with layer-wise rates (ULMFiT; Howard and Ruder 2018, arXiv 1801.06146): the head first, then the
last block of each encoder too, then its last two, and in the end everything. Each block learns more slowly than the one
above it. So what a component knows is not lost to a head that knows nothing yet.

Its cost is that of training what moves: the blocks below are passed forward alone. The paper unfreezes a layer per
epoch; here the phases after the head get equal shares of the budget. Its slanted triangular rates are the warm-up and
decay that every phase of every strategy has.
"""

from typing import Annotated

from pydantic import Field

from trivium.settings.base import Count
from trivium.strategies.base import ALL, TOP, Fused, Phase, Plan

TITLE = "Gradual unfreezing from {start}"


class Settings(Fused):
    head_share: Annotated[float, Field(gt=0, lt=1)] = 0.1  # of the budget after pretraining
    blocks: Count = 2  # of each encoder, unfrozen one at a time before the rest is
    decay: Annotated[float, Field(gt=0, le=1)] = 1 / 2.6  # of the learning rate, from each block to the one below


def plan(settings: Settings) -> Plan:
    share = (1 - settings.head_share) / (settings.blocks + 1)
    some = [Phase(f"last_{k}", share, settings.lr, (f"encoders.last({k})", *TOP), decay=settings.decay)
            for k in range(1, settings.blocks + 1)]
    head = Phase("head", settings.head_share, settings.lr, TOP)
    return Plan("fusion", settings.fusion, (head, *some, Phase("all", share, settings.lr, ALL, decay=settings.decay)))
