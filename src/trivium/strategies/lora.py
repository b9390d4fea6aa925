"""Low-rank updates of frozen encoders (LoRA; Hu et al. 2021, arXiv 2106.09685), from a fitted linear probe: only the
updates in the last blocks and the head move. At step 0 the model answers as the probe does. Where it is private, it
starts from no probe, since that has looked at the rows.
"""

from typing import Annotated

from trivium.settings.base import Count, Positive, Range
from trivium.strategies.base import Common, Phase, Plan, Private

TITLE = "LoRA on {start}"


class Settings(Common):
    lr: Annotated[Positive, Range(1e-4, 1e-2, log=True)] = 1e-3  # peak learning rate
    rank: Annotated[Count, Range(2, 32, log=True)] = 8  # of the updates
    blocks: Count = 2  # last blocks of each encoder that are updated
    private: Private | None = None  # differential privacy of the train rows


def plan(settings: Settings) -> Plan:
    phase = Phase("finetune", 1.0, settings.lr, ("lora", "fusion", "head"), private=settings.private)
    return Plan("fusion", "plain", (phase,), probe=settings.private is None, lora=(settings.rank, settings.blocks))
