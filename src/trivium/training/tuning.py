"""Settings chosen on validation, with as many trials for each strategy: `tune.trials` in params.yaml.

What is tried is declared where the settings are: a number whose type has a `Range` (learning rates, weights of losses,
shares) in the `Settings` of a strategy or of its fusion. The recipe stays as it is.

Each seed is tuned on its own training and validation samples: validation samples of one seed are test samples of
another, so that one choice for all seeds would have seen test labels. So intervals over seeds hold the doubt in the
choice as well (Bouthillier et al. 2021, arXiv 2103.03098).

The first trial has the settings as they are written, and is always trained to its end. The others are drawn by Optuna's
TPE sampler (Bergstra et al. 2011), the first few at random. A trial is a whole training with its whole schedule; at a
ninth and at a third of it (with `halving: 3`) it is stopped unless its validation NLL is among the best third of those
that came so far (asynchronous successive halving; Li et al. 2020, arXiv 1810.05934). The trial with the lowest
validation NLL at its end is chosen.

Finished trials are kept. After a kill their figures are told to Optuna again, in their order, and the next one draws
what it would have drawn.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium import fusion, strategies
from trivium.machine import digests
from trivium.settings import parts
from trivium.settings.base import Range, ranges
from trivium.training import jobs
from trivium.training.records import Lacking, Record, Trial, Tuned, Tuning

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import Trial as Asked

    from trivium.machine.measured import Measured
    from trivium.strategies import Entry
    from trivium.training.settings import Tune
    from trivium.training.strategy import Unit

STEPS = 100  # that a whole training has for Optuna: per cent
RANDOM = 5  # trials before the sampler learns from those that there are
DIGITS = 3  # significant ones of what is tried
KEPT = "trials.json"


class Ran(Record):
    """A trial that is over. seen: per cent of its training, and validation NLL there.  nll: of a whole one, at its end.
    """

    trial: Trial
    seen: list[tuple[int, float]]


class Kept(Record):
    trials: list[Ran]


@dataclass(frozen=True)
class _Task:
    """The trials of a strategy at a seed."""

    unit: Unit
    space: dict[str, Range]
    settings: Tune


def space(entry: Entry) -> dict[str, Range]:
    """What may be tuned, by its key below the entry: `lr`, or `fusion.rank`. A range reaches to the value that is
    written; a setting that has no number there (null, one per stream) stays as it is.
    """
    written = values(entry)
    found = ranges(parts.get(strategies, entry.strategy, "strategy", "strategy").Settings)
    if entry.plan.combine == "fusion":
        name = fusion.chosen(entry.plan.fusion, "fusion")["name"]
        own = ranges(parts.get(fusion, name, "fusion", "fusion").Settings)
        found |= {f"fusion.{key}": one for key, one in own.items()}
    return {key: replace(one, low=min(one.low, written[key]), high=max(one.high, written[key]))
            for key, one in found.items() if key in written}


def values(entry: Entry) -> dict[str, int | float]:
    """The numbers among the settings of an entry and of its fusion, as they are written."""
    every = dict(entry.settings)
    if entry.plan.combine == "fusion":
        every |= {f"fusion.{key}": value for key, value in fusion.chosen(entry.plan.fusion, "fusion").items()}
    return {key: value for key, value in every.items() if isinstance(value, int | float) and value is not True
            and value is not False}


def tune(units: Sequence[Unit], keys: Sequence[str], settings: Tune, inputs: Sequence[Path] = (),
         ) -> tuple[Tuning, Measured | None]:
    """The trials of a strategy at every seed, side by side, and what they took.

    units: of the strategy as it is written, one per seed;  keys: what each depends on;  inputs: what they read.
    """
    entry = units[0].entry
    found = space(entry)
    if not found:
        print(f"{entry.name}: nothing to tune", flush=True)
        return Tuning(trials=0, space={}, seeds=[]), None
    about = {"settings": settings.model_dump(), "space": {key: vars(one) for key, one in found.items()}}
    todo = [(f"seed_{unit.seed}", _Task(unit, found, settings), jobs.key([__name__], about | {"unit": key}))
            for unit, key in zip(units, keys, strict=True)]
    done = jobs.run(f"{entry.name}, {settings.trials} trials", _work, todo, units[0].loop, inputs)
    seeds = [one.record for _, one in done.values() if isinstance(one.record, Tuned)]
    if len(seeds) < len(units):  # the budget does not pay for an epoch: training says so
        return Tuning(trials=0, space={}, seeds=[]), None
    tried = {key: (one.low, one.high) for key, one in found.items()}
    return Tuning(trials=settings.trials, space=tried, seeds=seeds), jobs.measured(done, "tuning")


def _work(task: _Task, folder: Path, report: jobs.Report) -> Tuned | Lacking:
    """All trials of a seed; what is kept in `folder` is not trained again."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study, count = _study(task), task.settings.trials
    before, trials = digests.read(folder / KEPT), list[Ran]()  # damaged ones are made again
    kept = Kept.model_validate_json(before) if before else Kept(trials=[])
    for number in range(count):
        asked = _ask(study, task, number)
        if number < len(kept.trials):
            ran = kept.trials[number]
            for percent, nll in ran.seen:
                _told(asked, percent, nll)
        else:
            further = partial(_further, report, number, count)
            made = _train(asked, task, folder / f"trial_{number}", further)
            if isinstance(made, Lacking):
                return made
            ran = made
        whole = ran.trial.share == 1
        study.tell(asked, ran.trial.nll if whole else None, optuna.trial.TrialState.COMPLETE if whole else
                   optuna.trial.TrialState.PRUNED)
        trials.append(ran)
        if number >= len(kept.trials):
            digests.write(folder / KEPT, Kept(trials=trials).model_dump_json().encode())
            shutil.rmtree(folder / f"trial_{number}", ignore_errors=True)
    best = min((ran.trial for ran in trials if ran.trial.share == 1), key=lambda trial: trial.nll)
    return Tuned(seed=task.unit.seed, chosen=best.settings, trials=[ran.trial for ran in trials])


def _study(task: _Task) -> Study:
    import optuna

    eta = task.settings.halving
    first = math.ceil(STEPS / eta**2)  # the rungs: this, and eta times as much; a third one lies behind the end
    return optuna.create_study(pruner=optuna.pruners.SuccessiveHalvingPruner(first, eta, 0))


def _ask(study: Study, task: _Task, number: int) -> Asked:
    """The next trial, drawn from the seed, its number and the trials before it."""
    import optuna

    seed = task.unit.seed * 1_000_003 + number
    study.sampler = optuna.samplers.TPESampler(n_startup_trials=RANDOM, seed=seed)
    if number == 0:
        study.enqueue_trial({key: value for key, value in values(task.unit.entry).items() if key in task.space})
    asked = study.ask()
    for key, one in task.space.items():
        if isinstance(values(task.unit.entry)[key], int):
            asked.suggest_int(key, int(one.low), int(one.high), log=one.log)
        else:
            asked.suggest_float(key, one.low, one.high, log=one.log)
    return asked


def _train(asked: Asked, task: _Task, folder: Path, report: jobs.Report) -> Ran | Lacking:
    """One trial, until its end or until it is stopped."""
    import optuna

    from trivium.training import fused

    settings = {key: _rounded(value) for key, value in asked.params.items()}
    if asked.number == 0:  # as they are written, to the last digit
        settings = dict(asked.params)
    entry = strategies.changed(task.unit.entry, settings)
    seen, last = list[tuple[int, float]](), (0.0, 0.0, 0.0)

    def watch(share: float, nll: float, flops: float) -> None:
        nonlocal last
        last = share, nll, flops
        if not seen or round(STEPS * share) > seen[-1][0]:
            seen.append((round(STEPS * share), nll))
            if _told(asked, *seen[-1]):
                raise optuna.TrialPruned

    unit = replace(task.unit, entry=entry, fusion=fusion.chosen(entry.plan.fusion, "fusion"), watch=watch)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        record = fused.train(unit, folder, report)
    except optuna.TrialPruned:
        share, nll, flops = last
        return Ran(trial=Trial(settings=settings, nll=nll, share=share, flops=flops), seen=seen)
    if isinstance(record, Lacking):
        return record
    spent = record.flops.train
    return Ran(trial=Trial(settings=settings, nll=record.validation.nll, share=1.0, flops=spent), seen=seen)


def _told(asked: Asked, percent: int, nll: float) -> bool:
    """Tell Optuna where a trial is; whether it is to be stopped there. At its end it is over as it is."""
    asked.report(nll, percent)
    return percent < STEPS and asked.should_prune()


def _rounded(value: Any) -> int | float:
    return value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")


def _further(report: jobs.Report, number: int, count: int, done: int, every: int) -> None:
    report(number * every + done, count * every)


def chosen(tuning: Tuning, units: Sequence[Unit]) -> list[Unit]:
    """The units with the settings that were chosen for their seeds."""
    found: Mapping[int, Tuned] = {one.seed: one for one in tuning.seeds}
    changed = [(unit, strategies.changed(unit.entry, found[unit.seed].chosen)) for unit in units if unit.seed in found]
    return [replace(unit, entry=entry, fusion=fusion.chosen(entry.plan.fusion, "fusion"))
            for unit, entry in changed] or list(units)
