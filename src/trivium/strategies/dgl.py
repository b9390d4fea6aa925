"""Each encoder learns from its own loss alone, while fusion and head learn from the joint one."""

from trivium.strategies.base import Fused, Phase, Plan

TITLE = "Decoupled gradients (DGL) from {start}"


class Settings(Fused):
    pass


def plan(settings: Settings) -> Plan:
    return Plan("fusion", settings.fusion, (Phase("joint", 1.0, settings.lr, objective={"name": "dgl"}),))
