"""Joint training, and at its end the mean of the best weights that it went through: a greedy soup.

Of the `best` evaluations with the lowest validation NLL, each is taken into the mean where validation does not get
worse by it; so the soup is never worse there than the best one alone, which is what `joint` keeps. With `best: 1` it is
`joint`. Cost: a few validation passes, which nobody is charged for, and memory for so many copies of the weights. Three
are what "bag of tricks" papers take (arXiv 2412.16243). Source: model soups, Wortsman et al. 2022, arXiv 2203.05482.
"""

from typing import Annotated

from pydantic import Field

from trivium.strategies.base import Fused, Phase, Plan

TITLE = "Soup of joint training from {start}"


class Settings(Fused):
    best: Annotated[int, Field(ge=1, le=20)] = 3  # evaluations whose weights may be averaged; see `loop.evaluations`


def plan(settings: Settings) -> Plan:
    return Plan("fusion", settings.fusion, (Phase("joint", 1.0, settings.lr),), soup=settings.best)
