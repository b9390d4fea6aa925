"""Joint training in which streams of a sample are hidden at random. In their place the fusion has what it has for a
missing stream: most leave it out, `concat` learns a vector of its own. With `stand_in: learned` any fusion hears a
learned vector instead, also when the model answers for a sample that lacks a stream.
"""

from typing import Annotated, Literal

from pydantic import Field

from trivium.settings.base import Range
from trivium.strategies.base import Fused, Phase, Plan, named

TITLE = "Modality dropout from {start}"


class Settings(Fused):
    p: Annotated[float, Field(ge=0, lt=1), Range(0.05, 0.6)] = 0.2  # that a stream of a sample is hidden
    stand_in: Literal["learned", "absent"] = "absent"  # what the fusion hears of a hidden stream


def plan(settings: Settings) -> Plan:
    phase = Phase("joint", 1.0, settings.lr, objective={"name": "modality_dropout", "p": settings.p})
    learned = {"stand_in": True} if settings.stand_in == "learned" else {}
    return Plan("fusion", named(settings.fusion) | learned if learned else settings.fusion, (phase,))
