"""Supervised components stay as they are; only the fusion and the head learn, on cached features."""

from trivium.strategies.base import TOP, Fused, Phase, Plan


class Settings(Fused):
    start: str = "supervised"


def plan(settings: Settings) -> Plan:
    return Plan("fusion", settings.start, settings.fusion, (Phase("head", 1.0, settings.lr, TOP),))
