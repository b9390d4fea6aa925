"""Self-supervised components, then everything is fine-tuned together: labels are first seen in the second step."""

from trivium.strategies.base import Fused, Phase, Plan


class Settings(Fused):
    start: str = "selfsup"


def plan(settings: Settings) -> Plan:
    return Plan("fusion", settings.start, settings.fusion, (Phase("finetune", 1.0, settings.lr),))
