"""What tuning tried, what it chose at each seed, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trivium.drawing import numbers
from trivium.machine.measured import Measured
from trivium.report.inputs import Inputs
from trivium.report.parts import Cell, Table, name
from trivium.training.records import Tuned, Tuning


@dataclass(frozen=True)
class Context:
    lead: str
    table: Table


def context(inputs: Inputs) -> Context | None:
    found = {s: one.tuning for s, one in inputs.training.items() if one.tuning}
    tuned = {s: one for s, one in found.items() if one.seeds}
    if not tuned:
        return None
    rows = [row for strategy, one in tuned.items() for row in _rows(inputs, strategy, one)]
    columns = ["strategy", "setting", "as written", "tried", "chosen, over the seeds", "validation NLL",
               "stopped early", "compute", "time"]
    return Context(_lead(inputs, found), Table("What tuning chose", columns, rows))


def _lead(inputs: Inputs, found: dict[str, Tuning]) -> str:
    trials, fixed = inputs.comparison.trials, [inputs.titles[s] for s, one in found.items() if not one.trials]
    rest = f" Nothing to tune, and so no trials: {', '.join(fixed)}." if fixed else ""
    return (f"Every strategy had {numbers.plural(trials, 'trial')} at each seed, the first of them with its settings "
            f"as they are written. Each seed chose by its own validation NLL.{rest}")


def _rows(inputs: Inputs, strategy: str, tuning: Tuning) -> list[list[Cell]]:
    """One per setting; what is of the strategy stands in the first."""
    seeds, rows = tuning.seeds, []
    spent = numbers.mean(inputs.measured.get(f"train@{strategy}", Measured()).tuning)
    before, after = (numbers.mean(values) for values in ([seed.trials[0].nll for seed in seeds], map(_reached, seeds)))
    early = sum(trial.share < 1 for seed in seeds for trial in seed.trials)
    once = [Cell(f"{numbers.decimal(before)} → {numbers.decimal(after)}", classes="number"),
            Cell(f"{early} of {tuning.trials * len(seeds)}", classes="number"),
            Cell(numbers.flops(numbers.mean(seed.flops for seed in seeds)), classes="number"),
            Cell(numbers.seconds(spent), classes="number")]
    for k, (key, (low, high)) in enumerate(tuning.space.items()):
        chosen = [seed.chosen[key] for seed in seeds]
        own = [Cell(key), Cell(_number(seeds[0].trials[0].settings[key]), classes="number"),
               Cell(f"{_number(low)} to {_number(high)}", classes="number"), Cell(_span(chosen), classes="number")]
        rows.append([Cell(name(inputs, strategy) if k == 0 else "", head=k == 0), *own,
                     *(once if k == 0 else [Cell()] * len(once))])
    return rows


def _reached(seed: Tuned) -> float:
    return min(trial.nll for trial in seed.trials if trial.share == 1)


def _span(values: Sequence[float]) -> str:
    low, high = _number(min(values)), _number(max(values))
    return low if low == high else f"{low} to {high}"


def _number(value: float) -> str:
    return f"{value:.3g}"
