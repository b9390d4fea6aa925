"""Linear probes on frozen vectors: regularised logistic regression, its strength chosen on validation (CLIP's protocol;
Radford et al. 2021). Each stream alone, the mean of their log-probabilities, or one regression on all vectors side by
side, whichever validation prefers.
"""

from trivium.strategies.base import Common, Plan

TITLE = "Linear probe on {start}"


class Settings(Common):
    pass


def plan(settings: Settings) -> Plan:
    return Plan("linear")
