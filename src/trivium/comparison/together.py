"""What all strategies say together: ensemble selection over every model that was trained at a seed.

The weights of the mean are chosen greedily by validation NLL, and the test set says what that is worth. It spends the
budgets of all that it draws on, so it is no strategy among the others, and the verdict does not depend on it.

Source: Caruana et al. 2004, "Ensemble selection from libraries of models". Legend: `P` strategies, `N` samples, `A`
numbers of an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trivium import tasks
from trivium.comparison.intervals import Span
from trivium.comparison.outcomes import Evaluated
from trivium.comparison.pairs import Rules, compare, estimates, measure
from trivium.data.out import Part
from trivium.drawing import numbers
from trivium.evaluation import predictions
from trivium.tasks import weighing
from trivium.tasks.base import Array, Outcome, Task, joined
from trivium.training.records import Reached

if TYPE_CHECKING:
    from torch import Tensor

NAME = "together"
# Of numbers in answers to validation: with more, every second sample chooses weights, every third, ...
CELLS = 4_000_000
VALIDATION, TEST = "validation.parquet", "predictions.parquet"


class Seed(Part):
    """Of the models of a seed. weights: of those that have one, summing to 1.  calibration: of their mean.  task: with
    what was chosen by its answers (`Task.plain`).
    """

    weights: dict[str, float]
    calibration: float | list[float] | list[list[float]]
    task: dict[str, Any]
    validation: Reached
    flops: float


class Together(Part):
    """weights: of each strategy, mean over seeds.  against: the strategy that it is held against, with the difference
    by which it is better;  beats: surely.  flops: mean over seeds, of recipes and strategies with a weight;
    over_budget: these over the budget.
    """

    metrics: dict[str, Span]
    weights: dict[str, float]
    against: str
    difference: Span
    beats: bool
    flops: float
    over_budget: float
    seeds: dict[str, Seed]
    sentence: str


def together(found: Evaluated, folder: Path, rules: Rules, against: str) -> Together | None:
    """Of the strategies in `found`, which was read from `folder`, that left answers to validation: what was fitted on
    its rows cannot be judged by them. None where there are fewer than two.
    """
    names = [name for name in found.outcomes if (folder / name / VALIDATION).exists()]
    if len(names) < 2:
        return None
    made = [_seed(found, folder, names, place, seed) for place, seed in enumerate(found.seeds)]
    both = {NAME: [outcome for _, outcome in made], against: found.outcomes[against]}
    results = measure(found.task, both, found.units, rules, tuple(found.task.metrics), found.weights)
    pair, = compare(both, results, rules)
    sign = 1 if pair.a == NAME else -1
    low, high = sorted((sign * pair.difference.low, sign * pair.difference.high))
    gap = Span(mean=sign * pair.difference.mean, low=low, high=high)
    seeds = [one for one, _ in made]
    weights = {name: float(np.mean([one.weights.get(name, 0.0) for one in seeds])) for name in names}
    flops = float(np.mean([one.flops for one in seeds]))
    budget = float(np.mean([seed.training.flops.budget for seed in found.metrics[against].seeds]))
    spans = {key: Span(mean=one.mean, low=one.low, high=one.high, sd=one.sd)
             for key, one in estimates(found.task, results, 0, rules).items()}
    about = Together(metrics=spans, weights=weights, against=against, difference=gap,
                     beats=pair.beats and sign > 0, flops=flops, over_budget=flops / budget,
                     seeds={str(seed): one for seed, one in zip(found.seeds, seeds, strict=True)}, sentence="")
    return about.model_copy(update={"sentence": _sentence(about, found, rules)})


def _seed(found: Evaluated, folder: Path, names: Sequence[str], place: int, seed: int) -> tuple[Seed, Outcome]:
    """What the models of a seed say together of validation, by which they are weighed, and its outcome on test."""
    import torch

    about = [found.metrics[name].seeds[place] for name in names]
    task = tasks.of(about[0].task)
    answers, y = _whole(task, [folder / name / VALIDATION for name in names], seed)
    seen = torch.ones(answers.shape[:2], dtype=torch.bool)
    weights = weighing.greedy(answers, seen, y, task)
    heat = weighing.calibration(weights, answers, seen, y, task).float()
    said = weighing.mean(weights, heat, answers, seen, task)
    task = task.decided(said, y)
    outcomes = []
    for part, target in _pieces(task, [folder / name / TEST for name in names], seed):
        told = weighing.mean(weights, heat, part, torch.ones(part.shape[:2], dtype=torch.bool), task)
        outcomes.append(task.outcome(task.stored(told), target))
    kept = [k for k, weight in enumerate(weights.tolist()) if weight]
    recipes = {found.metrics[names[k]].start: about[k].training.flops.pretrain for k in kept}
    spent = sum(recipes.values()) + sum(about[k].training.flops.train for k in kept)
    reached = Reached(nll=-task.log_likelihood(said, y).mean().item(), score=task.score(said, y))
    return Seed(weights={names[k]: weights[k].item() for k in kept}, calibration=heat.tolist(),
                task=task.plain(), validation=reached, flops=spent), joined(outcomes)


def _whole(task: Task, paths: Sequence[Path], seed: int) -> tuple[Tensor, Tensor]:
    """Answers [P, N, A] and targets [N, *T], of as many samples as `CELLS` allows."""
    import torch

    count = sum(len(piece) for _, piece in predictions.read(paths[0], seed))
    step = max(1, -(-len(paths) * count * task.width // CELLS))
    parts = [(answers[:, ::step], y[::step]) for answers, y in _pieces(task, paths, seed)]
    y = torch.from_numpy(np.concatenate([target for _, target in parts]))
    return torch.cat([answers for answers, _ in parts], 1), y if y.dtype == torch.int64 else y.float()


def _pieces(task: Task, paths: Sequence[Path], seed: int) -> Iterator[tuple[Tensor, Array]]:
    """Answers [P, B, A] and targets [B, *T] of the samples of `seed`, piece by piece."""
    import torch

    for pieces in zip(*(predictions.read(path, seed) for path in paths), strict=True):
        own = [task.restored(predictions.answers(piece)) for _, piece in pieces]
        yield torch.stack(own), task.numbers(pieces[0][1]["y"])


def mean(about: Seed, names: Sequence[str], answers: Tensor, seen: Tensor, task: Task) -> Tensor:
    """What those of a seed say together; answers: of `names`, in their order. See `weighing.mean`."""
    import torch

    weights = torch.tensor([about.weights.get(name, 0.0) for name in names])
    return weighing.mean(weights, torch.tensor(about.calibration), answers, seen, task)


def _sentence(about: Together, found: Evaluated, rules: Rules) -> str:
    metric, gap, title = rules.metric, about.difference, f"“{found.metrics[about.against].title}”"
    used, known = sum(weight > 0 for weight in about.weights.values()), len(about.weights)
    if used == 1:
        only = next(found.metrics[name].title for name, weight in about.weights.items() if weight)
        return f"“{only}” alone has a weight: on validation, no other strategy adds anything to its answers."
    who = f"all {known}" if used == known else f"{used} of the {known}"
    level, sign = metric.level(about.metrics[metric.key].mean), not about.beats
    low, high = (metric.number(end, sign) for end in (gap.low, gap.high))
    size = f"{metric.number(gap.mean, sign)} {metric.unit} ({low} to {high})"
    judged = f"surely better than {title} by {size}" if about.beats else f"not surely better than {title}: {size}"
    return (f"Together, weighed by what each adds on validation, {who} strategies reach {level} at "
            f"{numbers.times(about.over_budget)} × the budget. That is {judged}.")
