"""Joint training: one loss, every part moves. From random weights it is end-to-end training, from components it is
fine-tuning of everything at one rate.
"""

from trivium.strategies.base import Fused, Phase, Plan

TITLE = "Joint training from {start}"


class Settings(Fused):
    pass


def plan(settings: Settings) -> Plan:
    return Plan("fusion", settings.fusion, (Phase("joint", 1.0, settings.lr),))
