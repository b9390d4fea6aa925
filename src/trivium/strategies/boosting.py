"""Gradient-boosted trees on frozen vectors (scikit-learn's HistGradientBoosting; Friedman 2001), of all streams side by
side: the reference for tables, which sees what columns say together. Number of trees and learning rate are chosen on
validation; missing streams and cells are what trees take them for.
"""

from trivium.strategies.base import Common, Plan

TITLE = "Boosted trees on {start}"


class Settings(Common):
    pass


def plan(settings: Settings) -> Plan:
    return Plan("boosting")
