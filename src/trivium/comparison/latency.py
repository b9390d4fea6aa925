"""How fast exported models answer, and who is within a limit.

`reports/latency.json` holds what is the same every time: sizes, and what the export and 8 bits change in the answers.
Times differ every time, so they stand in `reports/measured/latency.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from trivium.data.out import Out, Part
from trivium.machine.measured import Latency, Measured

PATH = Path("reports/latency.json")
STAGE = "latency"
ROWS = (1, 8, 64)  # at a time
UNKNOWN = "no time was measured on this machine"


class Small(Part):
    """The graph of 8 bits. rows: of the test set;  loss: by how much it is worse there, in `unit` (points of accuracy,
    nats, ...);  same: share of the rows that both graphs predict the same of, 0-1.
    """

    bytes: int
    rows: int
    loss: float
    unit: str
    same: float


class Graph(Part):
    """The exported model of the seed that stands for a strategy. bytes: of its file, None where it cannot be exported,
    and `refused` says why.  difference: the largest from the answers of torch, on test rows; of numbers above 1, as a
    share of them.  small: None where `small_refused` says why.
    """

    seed: int
    bytes: int | None = None
    difference: float | None = None
    refused: str = ""
    small: Small | None = None
    small_refused: str = ""


class Graphs(Out):
    """Every strategy that was trained. Empty where `compare.latency` is off."""

    strategies: dict[str, Graph] = Field(default_factory=dict)


def measured(root: Path) -> dict[str, Latency]:
    """Strategy -> what was measured on this machine; empty where the stage ran elsewhere."""
    return Measured.of(STAGE, root).latency


@dataclass(frozen=True)
class Within:
    """Who answers within `limit` milliseconds. slow: milliseconds of those that take longer;  unknown: why it is not
    known of the others.
    """

    limit: float
    inside: list[str]
    slow: dict[str, float] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)


def within(limit: float, names: Sequence[str], root: Path) -> Within:
    """By the 95th percentile of one row on one thread; who has none is not within."""
    graphs, times = Graphs.found(root / PATH) or Graphs(), measured(root)
    found = Within(limit, [])
    for name in names:
        timed = times[name].of(1) if name in times else None
        if timed is None or timed.p95_ms is None:
            about = graphs.strategies.get(name)
            found.unknown[name] = about.refused if about and about.refused else UNKNOWN
        elif timed.p95_ms <= limit:
            found.inside.append(name)
        else:
            found.slow[name] = timed.p95_ms
    return found
