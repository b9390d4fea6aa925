"""Joint training: one loss, every part from random weights."""

from trivium.strategies.base import Fused, Phase, Plan


class Settings(Fused):
    pass


def plan(settings: Settings) -> Plan:
    return Plan("fusion", None, settings.fusion, (Phase("joint", 1.0, settings.lr),))
