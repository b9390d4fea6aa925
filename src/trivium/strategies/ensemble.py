"""Unimodal models trained alone, whose calibrated answers are pooled; nothing more is trained.

`way`, of samples that lack a stream with those that they have:

- `product`: the log-probabilities are summed, a product of experts (UME; Du et al. 2023). Who is sure counts more; this
  is right where streams err apart from each other.
- `mean`: the mean of the probabilities, which no single model that is sure and wrong can spoil.
- `selection`: the same with a weight for each model, chosen greedily on validation (Caruana et al. 2004); a stream that
  says little drops out.
- `stacking`: a regularised linear model on what all of them say, fitted and judged on parts of validation in turn
  (Wolpert 1992). It learns whose word counts for which class, and wants some hundred validation rows.

All add up what each stream says alone, and cannot learn what streams say only together. Cost: the recipe's; a linear
model's own is charged, and next to nothing.
"""

from trivium.strategies.base import Common, Plan, Way

TITLE = "Ensemble of unimodal models from {start}"


class Settings(Common):
    way: Way = "product"


def plan(settings: Settings) -> Plan:
    return Plan("ensemble", way=settings.way)
