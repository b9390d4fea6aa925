"""Everything moves, from a fitted linear probe: full fine-tuning, with a learning rate of their own for encoders.

Published weights need a small one: at the rate of a fresh head they are destroyed before the head has learned. The
probe itself is a candidate of validation, so that fine-tuning which does harm is not kept.
"""

from typing import Annotated

from trivium.settings.base import Positive, Range
from trivium.strategies.base import ALL, Common, Phase, Plan

TITLE = "Full fine-tuning of {start}"


class Settings(Common):
    lr: Annotated[Positive, Range(1e-4, 1e-2, log=True)] = 1e-3  # peak learning rate of the head
    encoder_lr: Annotated[Positive, Range(1e-4, 1e-2, log=True)] = 1e-3  # of encoders that we trained
    published_lr: Annotated[Positive, Range(3e-6, 3e-4, log=True)] = 3e-5  # of encoders whose weights were published


def plan(settings: Settings) -> Plan:
    phase = Phase("finetune", 1.0, settings.lr, ALL, settings.encoder_lr, settings.published_lr)
    return Plan("fusion", "plain", (phase,), probe=True)
