"""Unimodal models trained alone; their calibrated answers are pooled, as a product of experts (UME; Du et al. 2023)."""

from trivium.strategies.base import Common, Plan

TITLE = "Ensemble of unimodal models from {start}"


class Settings(Common):
    pass


def plan(settings: Settings) -> Plan:
    return Plan("ensemble")
