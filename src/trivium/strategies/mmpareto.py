"""Where the joint loss and a stream's own pull its encoder apart, it takes the step that serves both (MMPareto; Wei and
Hu 2024, arXiv 2405.17730).

See `objectives/network/mmpareto.py`.
"""

from typing import Annotated

from pydantic import Field

from trivium.settings.base import Range
from trivium.strategies.base import Fused, Phase, Plan

TITLE = "Pareto steps (MMPareto) from {start}"


class Settings(Fused):
    gamma: Annotated[float, Field(gt=0, le=10), Range(0.5, 3.0)] = 1.5  # multiplies the encoders' gradients


def plan(settings: Settings) -> Plan:
    objective = {"name": "mmpareto", "gamma": settings.gamma}
    return Plan("fusion", settings.fusion, (Phase("joint", 1.0, settings.lr, objective=objective),))
