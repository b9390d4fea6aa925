"""Small bottlenecks behind the last blocks of frozen encoders (adapters; Houlsby et al. 2019, arXiv 1902.00751), from a
fitted linear probe: only they and the head move. At step 0 the model answers as the probe does.

See `models/adapters.py`.

Beside `lora`: the weights of an encoder stay as they are for good, and the model keeps the adapters. A forward pass
costs a little more than without.
"""

from trivium.settings.base import Count, Positive
from trivium.strategies.base import Common, Phase, Plan

TITLE = "Adapters on {start}"


class Settings(Common):
    lr: Positive = 1e-3  # peak learning rate
    width: Count = 16  # numbers in the bottleneck
    blocks: Count = 2  # last blocks of each encoder that get one


def plan(settings: Settings) -> Plan:
    phase = Phase("finetune", 1.0, settings.lr, ("adapters", "fusion", "head"))
    return Plan("fusion", "plain", (phase,), probe=True, adapters=(settings.width, settings.blocks))
