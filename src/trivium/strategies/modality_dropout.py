"""Joint training in which streams of a sample are hidden at random."""

from typing import Annotated

from pydantic import Field

from trivium.settings.base import Range
from trivium.strategies.base import Fused, Phase, Plan

TITLE = "Modality dropout from {start}"


class Settings(Fused):
    p: Annotated[float, Field(ge=0, lt=1), Range(0.05, 0.6)] = 0.2  # that a stream of a sample is hidden


def plan(settings: Settings) -> Plan:
    phase = Phase("joint", 1.0, settings.lr, objective={"name": "modality_dropout", "p": settings.p})
    return Plan("fusion", settings.fusion, (phase,))
