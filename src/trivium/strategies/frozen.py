"""The components stay as they are; only the fusion and the head learn, on cached vectors."""

from trivium.strategies.base import TOP, Fused, Phase, Plan, Private

TITLE = "Frozen components from {start}"


class Settings(Fused):
    private: Private | None = None  # differential privacy of the train rows


def plan(settings: Settings) -> Plan:
    return Plan("fusion", settings.fusion, (Phase("head", 1.0, settings.lr, TOP, private=settings.private),))
