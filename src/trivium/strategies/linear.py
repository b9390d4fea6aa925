"""Linear probes on frozen vectors: regularised linear models, logistic for classes and tags, their strength chosen on
validation (CLIP's protocol; Radford et al. 2021). Each stream alone, the mean of their answers, or one model on all
vectors side by side, whichever validation prefers.
"""

from trivium.strategies.base import Common, Plan

TITLE = "Linear probe on {start}"


class Settings(Common):
    pass


def plan(settings: Settings) -> Plan:
    return Plan("linear")
