"""Unimodal models trained alone; their calibrated log-probabilities are summed (UME; Du et al. 2023)."""

from trivium.settings.base import Section
from trivium.strategies.base import Plan


class Settings(Section):
    start: str = "supervised"


def plan(settings: Settings) -> Plan:
    return Plan("ensemble", settings.start)
