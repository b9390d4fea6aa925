"""`export.json` of an exported folder: what was exported, and how close it is to what was trained."""

from __future__ import annotations

from pathlib import Path

from trivium.data.out import Out, Part

NAME = "export.json"


class Smoke(Part):
    """On raw rows of the data. difference: the largest between the graph's answers and those of torch, as people get
    them; of numbers above 1, as a share of them.
    """

    rows: int
    difference: float


class Int8(Part):
    """The smaller graph. bytes: of its file;  calibrated: train rows;  rows: of the test set of the model's seed

    metric: its key;  before, after: of the whole graph and of this one;  loss: by how much this one is worse, in `unit`
    (points of accuracy, nats, ...);  same: share of the rows that both predict the same of, 0-1
    """

    bytes: int
    calibrated: int
    rows: int
    metric: str
    before: float
    after: float
    loss: float
    unit: str
    same: float


class Exported(Out):
    """strategy: "" where there is no model in the folder, and `note` says why.  bytes: of the graph

    refused: why there is no smaller graph, where one was asked for.
    """

    strategy: str = ""
    title: str = ""
    seed: int | None = None
    bytes: int | None = None
    smoke: Smoke | None = None
    int8: Int8 | None = None
    refused: str = ""
    note: str = ""


def found(folder: Path) -> Exported | None:
    """What is said of the folder; None where it was not exported."""
    return Exported.found(folder / NAME)
