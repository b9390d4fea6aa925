"""Joint training with a loss on each stream alone beside the joint one."""

from typing import Annotated, Any

from pydantic import Field

from trivium.settings.base import Range
from trivium.strategies.base import Fused, Phase, Plan

TITLE = "Joint training with single-stream losses from {start}"
Weight = Annotated[float, Field(ge=0)]


class Settings(Fused):
    # of each stream's own loss; a number for all, or one per stream
    weight: Annotated[Weight | dict[str, Weight], Range(0.1, 10, log=True)] = 1.0


def plan(settings: Settings) -> Plan:
    objective: dict[str, Any] = {"name": "unimodal_losses", "weight": settings.weight}
    return Plan("fusion", settings.fusion, (Phase("joint", 1.0, settings.lr, objective=objective),))
