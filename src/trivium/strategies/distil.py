"""Unimodal teachers (UMT; Du et al. 2023): joint training from random weights, whose encoders are drawn towards those
of the recipe. The recipe's components are teachers only.
"""

from typing import Annotated, Any

from pydantic import Field

from trivium.settings.base import Range
from trivium.strategies.base import Fused, Phase, Plan

TITLE = "Distilled from {start}"


class Settings(Fused):
    alpha: Annotated[float, Field(ge=0), Range(0.1, 10, log=True)] = 1.0  # weight of the teachers' part of the loss


def plan(settings: Settings) -> Plan:
    objective: dict[str, Any] = {"name": "distil", "alpha": settings.alpha}
    return Plan("fusion", settings.fusion, (Phase("joint", 1.0, settings.lr, objective=objective),), teachers=True)
