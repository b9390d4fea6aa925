"""Of numbers: what the strategy that is looked at predicts against what is true, and how far off it is where.

Legend: `N` test answers of all seeds, `K` numbers of a target.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trivium.drawing import numbers
from trivium.drawing.agreement import agreement
from trivium.evaluation import predictions
from trivium.report import results
from trivium.report.inputs import Inputs
from trivium.report.parts import Figure

POINTS = 1000  # that are drawn, of all charts together
LEAST = 150  # of a chart
CHARTS = 12


@dataclass(frozen=True)
class Context:
    """`pictures`: of each number, their results where there are several, and those of parts of the samples; `rest`:
    what is not drawn, may be empty.
    """

    lead: str
    pictures: list[Figure]
    rest: str
    strategy: str


@dataclass(frozen=True)
class Drawn:
    """true, predicted, half: [N, K];  share: of targets that intervals shall hold, 0-1."""

    true: np.ndarray
    predicted: np.ndarray
    half: np.ndarray
    share: float

    @property
    def inside(self) -> np.ndarray:
        """bool [N, K]"""
        return np.abs(self.predicted - self.true) <= self.half


def context(inputs: Inputs) -> Context | None:
    task = inputs.task
    found = _read(inputs) if task is not None and task.quantities else None
    if task is None or found is None:
        return None
    names = list(task.quantities)
    charts = [_chart(inputs, found, k, name, task.quantities[name]) for k, name in enumerate(names[:CHARTS])]
    rest = f" The first {CHARTS} of {len(names)} numbers are drawn." if len(names) > CHARTS else ""
    rows = results.means(inputs)
    single, some = ({row: of for row, of in rows.items() if (row in names) == wanted} for wanted in (True, False))
    title = inputs.titles[inputs.shown]
    tables = [_numbers(inputs, single)] if len(single) > 1 else []
    tables += [_parts(inputs, some, task.part, names[0], wide=bool(tables))] if some else []
    return Context(_lead(title, found, names), [*charts, *tables], rest, title)


def _numbers(inputs: Inputs, found: results.Means) -> Figure:
    body = results.table(inputs, found, "Results per number", "number", "", named=True)
    return Figure(body, title="Number by number", wide=True)


def _parts(inputs: Inputs, found: results.Means, part: tuple[str, str], first: str, wide: bool) -> Figure:
    body = results.table(inputs, found, f"Results per {part[0]}", part[0], "mae")
    caption = (
        f"By {part[1]} of the true {first}, cut where training samples are. A bias above 0: the predictions are too "
        "high there. Models that know little answer the middle for all, so that the lowest quarter has a bias above 0 "
        "and the highest one below."
    )
    return Figure(body, caption, "Where it is off", wide)


def _read(inputs: Inputs) -> Drawn | None:
    path = inputs.root / f"reports/evaluate/{inputs.shown}/predictions.parquet"
    if inputs.task is None or not path.exists():
        return None
    parts, share = [], 0.0
    for _, piece in predictions.read(path):
        ends = inputs.task.intervals(predictions.answers(piece))
        if ends is None:
            return None
        low, high, share = ends
        parts.append((inputs.task.numbers(piece["y"]), inputs.task.numbers(piece["prediction"]), (high - low) / 2))
    true, predicted, half = (np.concatenate(part).astype(np.float64) for part in zip(*parts, strict=True))
    return Drawn(true, predicted, half, share)


def _chart(inputs: Inputs, found: Drawn, k: int, name: str, unit: str) -> Figure:
    true, predicted, half = found.true[:, k], found.predicted[:, k], found.half[:, k]
    most = max(LEAST, POINTS // min(CHARTS, found.true.shape[1]))
    some = np.unique(np.linspace(0, len(true) - 1, min(most, len(true))).round().astype(int))
    inside, width = found.inside[:, k], float(half.mean())
    held = numbers.percent(float(inside.mean()))
    says = f"{name}: predicted against true; {held} of the true values lie within their interval"
    body = agreement(true[some].tolist(), predicted[some].tolist(), inside[some].tolist(), width,
                     inputs.looks[inputs.shown], unit, says)
    whole = len(some) == len(true)
    drawn = "" if whole else f" {numbers.whole(len(some))} of {numbers.whole(len(true))} answers are drawn."
    metric = inputs.task.columns(name, ["mae"])["mae"] if inputs.task else None
    around = f" (± {metric.value(width)})" if metric else ""
    return Figure(body, f"The band{around} holds {held} of the true values; it should hold "
                        f"{numbers.percent(found.share, 0)}.{drawn}", name)


def _lead(title: str, found: Drawn, names: list[str]) -> str:
    held, share = found.inside.mean(0), found.share
    points = [100 * (value - share) for value in held]
    worst = max(range(len(names)), key=lambda k: abs(points[k]))
    what = "true values" if len(names) == 1 else f"true values of {names[worst]}"
    off = abs(points[worst])
    more = "more" if points[worst] > 0 else "fewer"
    verdict = "as they should" if off < 0.5 else f"{off:.0f} point{'s' * (round(off) != 1)} {more} than they should"
    least = " at worst" if len(names) > 1 else ""
    return (f"The intervals of “{title}” hold {numbers.percent(float(held[worst]))} of the {what}{least}: {verdict} "
            f"({numbers.percent(share, 0)}).")
