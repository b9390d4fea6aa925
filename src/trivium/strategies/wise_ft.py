"""The straight line between two models: head first, then everything, as `lpft` does; then weights between those with
frozen components and the fine-tuned ones, wherever validation NLL is lowest on a grid.

Between them, a model may keep what the components knew and have what fine-tuning added; the ends are the two models
themselves, so that validation never likes it less than either. Cost: `steps` - 1 validation passes more than `lpft`,
which nobody is charged for. Source: WiSE-FT, Wortsman et al. 2021, arXiv 2109.01903.
"""

from typing import Annotated

from pydantic import Field

from trivium.settings.base import Positive
from trivium.strategies.base import TOP, Fused, Phase, Plan

TITLE = "WiSE-FT from {start}"


class Settings(Fused):
    head_share: Annotated[float, Field(gt=0, lt=1)] = 0.1  # of the budget after pretraining
    finetune_lr: Positive = 3e-3
    steps: Annotated[int, Field(ge=1, le=100)] = 10  # equal ones from one end of the line to the other


def plan(settings: Settings) -> Plan:
    head = Phase("head", settings.head_share, settings.lr, TOP)
    finetune = Phase("finetune", 1 - settings.head_share, settings.finetune_lr)
    return Plan("fusion", settings.fusion, (head, finetune), line=settings.steps)
