"""Head first, then everything (LP-FT; Kumar et al. 2022, arXiv 2202.10054)."""

from typing import Annotated

from pydantic import Field

from trivium.settings.base import Range
from trivium.strategies.base import TOP, Fused, Phase, Plan, Rate

TITLE = "LP-FT from {start}"


class Settings(Fused):
    head_share: Annotated[float, Field(gt=0, lt=1), Range(0.05, 0.5)] = 0.1  # of the budget after pretraining
    finetune_lr: Rate = 3e-3


def plan(settings: Settings) -> Plan:
    head = Phase("head", settings.head_share, settings.lr, TOP)
    finetune = Phase("finetune", 1 - settings.head_share, settings.finetune_lr)
    return Plan("fusion", settings.fusion, (head, finetune))
