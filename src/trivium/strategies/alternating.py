"""The streams take turns: each step trains one encoder through the head that all share (MLA; Zhang et al. 2024, arXiv
2311.10707). The fusion is `entropy`.

See `objectives/network/alternating.py`.
"""

from trivium.settings.base import Positive
from trivium.strategies.base import Common, Phase, Plan

TITLE = "Alternating streams (MLA) from {start}"


class Settings(Common):
    lr: Positive = 3e-3  # peak learning rate
    ridge: Positive = 0.1  # the larger, the less a stream's steps spare what the shared head has learned of others


def plan(settings: Settings) -> Plan:
    objective = {"name": "alternating", "ridge": settings.ridge}
    return Plan("fusion", "entropy", (Phase("joint", 1.0, settings.lr, objective=objective),))
