"""Ensemble selection over all that a recipe's components can say: a weighted mean of the answers of a few models,
chosen greedily on validation.

The models are the recipe's own classifiers, where it trains on the labels, and linear probes on the frozen vectors:
each stream alone, their mean, and all vectors side by side. So it may end as `ensemble`, as `linear`, or in between.
Models of other entries of `train` are none of them: a strategy is made of its recipe alone, on the budget of one;
`compare.together` weighs those. Cost: the recipe's, and that of `linear`.
Source: Caruana et al. 2004, "Ensemble selection from libraries of models".
"""

from trivium.strategies.base import Common, Plan

TITLE = "Ensemble selection on {start}"


class Settings(Common):
    pass


def plan(settings: Settings) -> Plan:
    return Plan("selection")
