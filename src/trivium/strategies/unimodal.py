"""One model per modality, each trained alone; the answer is that of the modality with the lowest validation NLL."""

from trivium.settings.base import Section
from trivium.strategies.base import Plan


class Settings(Section):
    start: str = "supervised"


def plan(settings: Settings) -> Plan:
    return Plan("best", settings.start)
