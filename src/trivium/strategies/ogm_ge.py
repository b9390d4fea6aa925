"""On-the-fly gradient modulation with noise (OGM-GE; Peng et al. 2022, arXiv 2203.15332): the encoder of a stream that
is ahead of the others learns more slowly.

See `objectives/network/ogm_ge.py`.
"""

from typing import Annotated

from pydantic import Field

from trivium.settings.base import Range
from trivium.strategies.base import Fused, Phase, Plan

TITLE = "Modulated gradients (OGM-GE) from {start}"


class Settings(Fused):
    alpha: Annotated[float, Field(ge=0, le=10), Range(0.05, 1.0)] = 0.3  # how much a leading stream is slowed down


def plan(settings: Settings) -> Plan:
    objective = {"name": "ogm_ge", "alpha": settings.alpha}
    return Plan("fusion", settings.fusion, (Phase("joint", 1.0, settings.lr, objective=objective),))
