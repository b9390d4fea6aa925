"""Gradient blending (Wang et al. 2020, arXiv 1905.12681), offline: first each stream alone and all together are trained
for a while, to see how much each learns and how much it overfits; then everything is trained from the start again, with
the losses weighed by that. Both are paid from the budget.

See `training/blended.py`.
"""

from typing import Annotated

from pydantic import Field

from trivium.strategies.base import Fused, Phase, Plan

TITLE = "Gradient blending from {start}"


class Settings(Fused):
    estimate: Annotated[float, Field(gt=0, lt=1)] = 0.3  # share of the budget that goes into the weights of the losses


def plan(settings: Settings) -> Plan:
    phase = Phase("joint", 1.0, settings.lr, objective={"name": "gradient_blending"})
    return Plan("fusion", settings.fusion, (phase,), estimate=settings.estimate)
