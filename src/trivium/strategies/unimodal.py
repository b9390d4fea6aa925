"""One model per stream, each trained alone; the answer is that of the stream with the lowest validation NLL."""

from trivium.strategies.base import Common, Plan

TITLE = "Best single stream from {start}"


class Settings(Common):
    pass


def plan(settings: Settings) -> Plan:
    return Plan("best")
