"""What a whole run will take on this machine, stage by stage: measured speeds times what is counted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trivium.comparison.latency import ROWS
from trivium.data.store import Store
from trivium.evaluation import cost
from trivium.experiments import rehearsal, speeds
from trivium.experiments.speeds import Speed
from trivium.machine import device, memory
from trivium.machine.measured import Measured
from trivium.machine.workers import cores
from trivium.report.look.price import Part, Price, Saving
from trivium.serving.export import int8
from trivium.serving.latency import timing
from trivium.strategies.base import MOST_EPOCHS
from trivium.training import budget

if TYPE_CHECKING:
    from trivium.params import Params
    from trivium.strategies import Entry

FEW_ROWS = 250  # for the analyses: what is told to save
ENTRY, MOST_ENTRIES = "`train` without", 3
PREPARED = ("ingest", "validate", "align", "split", "preprocess", "budget")
ANSWERS = cost.WARM_UP + cost.REPEATS + (1 + cost.ROUNDS) * cost.MANY  # samples that time a model's answers
TRAINED, ANSWERING = "trivium.training.fused, trivium.training.pretrain, accelerate", "trivium.serving.latency.first"
COMPARED = "trivium.tracking.sync, trivium.comparison.build, trivium.report.html, mlflow"


@dataclass(frozen=True)
class Counts:
    """rows: of the data;  train, val, test: of a seed.  flops: everybody's budget at a seed."""

    rows: int
    train: int
    val: int
    test: int
    flops: float


@dataclass(frozen=True)
class Machine:
    """speeds: by recipe.  start: seconds to load what a stage of training needs;  compared: what `compare` does, with
    MLflow; answering: what an exported model does.  beside: seeds side by side.  cores: of the machine.
    base: bytes of a program with the libraries of training.
    """

    speeds: Mapping[str, Speed]
    start: float
    compared: float
    answering: float
    beside: int
    cores: int
    base: int


def of(params: Params, unchanged: set[str]) -> Price:
    """In the working directory, where `preprocess` and `budget` have run.

    unchanged: stages that have run as things are now: what they took is better than any forecast.
    """
    where = device.kind(params.loop.device)
    found = Machine(rehearsal.measure(params), speeds.start(TRAINED), speeds.start(COMPARED), speeds.start(ANSWERING),
                    device.workers(params.loop.workers, where), cores(), memory.resident())
    counted = counts(params)
    told = parts(params, counted, found)
    last = {name: Measured.of(name) for name in unchanged}
    known = [_known(one, last[one.stage]) if one.stage in last else one for one in told]
    there = found.base + memory.available()
    return Price(tuple([*_prepared(), *known]), there, tuple(savings(params, counted, found)))


def counts(params: Params) -> Counts:
    """Raises: UserError (`budget` has not run)."""
    one, flops = Store(next(iter(params.pretrain))), budget.read()
    train, val, test = (len(one.rows(0, split)) for split in ("train", "val", "test"))
    return Counts(len(one), train, val, test, sum(flops) / len(flops))


def parts(params: Params, counted: Counts, machine: Machine) -> list[Part]:
    """The stages behind `budget`, in their order."""
    recipes = [_recipe(params, name, counted, machine) for name in params.pretrain]
    trained = [_strategy(params, name, counted, machine) for name in params.train]
    evaluated = [_evaluated(params, params.entries[name], counted, machine) for name in params.train]
    return [*recipes, *trained, *evaluated, *_rest(params, counted, machine)]


def _recipe(params: Params, name: str, counted: Counts, machine: Machine) -> Part:
    recipe, speed, seeds = params.recipe(name), machine.speeds[name], params.seeds
    work = counted.rows * speed.once
    if recipe.objectives:
        work += seeds * _moving(recipe.share * counted.flops, params, counted, speed)
    units = len(recipe.groups) * (1 if speed.once else seeds)
    return _part(f"pretrain@{name}", work, units, machine, _training(params, speed) * bool(recipe.objectives))


def _strategy(params: Params, name: str, counted: Counts, machine: Machine) -> Part:
    entry = params.entries[name]
    recipe, speed = params.recipe(entry.start), machine.speeds[entry.start]
    passes = (counted.train + counted.val) * speed.passed
    left = counted.flops * (1 - recipe.share * bool(recipe.objectives))
    if entry.plan.combine == "fusion":
        work = sum(_phase(phase.moves, phase.share * left, passes, params, counted, speed)
                   for phase in entry.plan.phases)
    elif entry.plan.combine in ("best", "ensemble"):
        work = counted.val * speed.passed
    else:
        work = passes + counted.train * speed.fitted
    return _part(f"train@{name}", params.seeds * work * _tuned(params), params.seeds, machine, _training(params, speed))


def _phase(moves: bool, flops: float, passes: float, params: Params, counted: Counts, speed: Speed) -> float:
    """Seconds of it at one seed."""
    if moves:
        return _moving(flops, params, counted, speed)
    once = counted.train * speed.flops / 3  # forward, without the two thirds that go backward
    most = -(-MOST_EPOCHS * counted.train // params.loop.batch)
    steps = min(most, max(counted.train, (flops - once) / max(speed.head_flops, 1.0)) / params.loop.batch)
    return passes + steps * speed.head


def _moving(flops: float, params: Params, counted: Counts, speed: Speed) -> float:
    """Seconds of the steps that they pay for, and of all looks at validation: the first, and one an epoch at most."""
    samples = flops / max(speed.flops, 1.0)
    looks = 1 + min(params.loop.evaluations, math.ceil(samples / counted.train))
    return samples * speed.step + looks * counted.val * speed.through


def _tuned(params: Params) -> float:
    """Trainings in place of one: all trials begin, and of each `halving` one goes on, at two rungs."""
    by = params.tune.halving
    return 1 + params.tune.trials * (1 + (by - 1) / by + (by - 1) / by) / by**2 if params.tune.trials else 1


def _evaluated(params: Params, entry: Entry, counted: Counts, machine: Machine) -> Part:
    speed, seeds = machine.speeds[entry.start], params.seeds
    few, rows, measured = (min(n, counted.test) for n in (speeds.FEWEST, params.evaluate.analysis_rows, speed.rows))
    share = (rows - few) / (measured - few) if measured > few else 1.0
    further = speed.fewer + share * (speed.further - speed.fewer)
    memory = round(speed.evaluated + speed.evaluated_each * min(params.evaluate.batch, max(counted.test, counted.val)))
    work = seeds * (further + (counted.test + counted.val) * speed.passed) + speed.first - speed.further
    return _part(f"evaluate@{entry.name}", work, seeds, machine, memory, ANSWERS * speed.through)


def _training(params: Params, speed: Speed) -> int:
    """Bytes of one."""
    return round(speed.trained + speed.trained_each * params.loop.batch)


def _part(stage: str, work: float, units: int, machine: Machine, each: int, after: float = 0.0) -> Part:
    """each: bytes of a unit."""
    beside = max(1, min(machine.beside, units))
    return Part(stage, machine.start, work, units, beside, machine.base + beside * each, after)


def _rest(params: Params, counted: Counts, machine: Machine) -> list[Part]:
    """`latency`, `compare` and `export`."""
    used = [machine.speeds[params.entries[name].start] for name in params.train]
    exports = [_exported(speed, counted) for speed in used]
    compared = Part("compare", machine.start + machine.compared, 0.0, memory=machine.base)
    export = Part("export", machine.start, sum(exports) / len(exports), memory=machine.base)  # of one: who knows which
    if not params.compare.latency:
        return [compared, export]
    timed = sum(_timed(speed, machine) for speed in used)
    beside = min(machine.cores, len(exports))
    return [Part("latency", machine.answering, sum(exports) + beside * machine.start, len(exports), beside,
                 (1 + beside) * machine.base, timed), compared, export]  # its workers load everything themselves


def _exported(speed: Speed, counted: Counts) -> float:
    """Seconds of a strategy's two graphs: made, the smaller one fitted to train rows, both asked on the test set."""
    rows = min(int8.CALIBRATED, counted.train) + 2 * min(int8.TESTED, counted.test)
    return speed.exported + rows * speed.through


def _timed(speed: Speed, machine: Machine) -> float:
    """Seconds of all calls of a strategy's exported model."""
    calls = sum(min(timing.SECONDS, timing.MOST * rows * speed.through) for rows in ROWS)
    return timing.STARTS * machine.answering + calls * (2 + (machine.cores > 1))


def _prepared() -> list[Part]:
    """The stages that have just run, as they took."""
    return [_known(Part(name, 0.0, 0.0), one) for name in PREPARED if (one := Measured.of(name)).seconds]


def _known(part: Part, last: Measured) -> Part:
    """As it took when it last ran here. By the clock of a busy machine, a stage takes longer than it computes."""
    if last.seconds is None:
        return part
    computed = last.cpu_seconds or last.seconds
    largest = max(part.memory, last.peak_memory_bytes or 0)  # the latter of one process, where several may work
    return Part(part.stage, 0.0, computed, memory=largest, clock=min(last.seconds, computed))


def savings(params: Params, counted: Counts, machine: Machine) -> list[Saving]:
    """What other settings would save, the most time first."""
    now = Price(tuple(parts(params, counted, machine)), 0)
    found, entries = [], 0
    for words, settings, less, other in _changes(params, counted, machine):
        then = Price(tuple(parts(settings, less, other)), 0)
        found.append(Saving(words, 1 - then.seconds / now.seconds, now.seconds - then.seconds,
                            1 - then.largest.memory / now.largest.memory, now.largest.memory - then.largest.memory))
    told = []
    for one in sorted(found, key=lambda one: -one.share):
        entries += one.words.startswith(ENTRY)
        if one.said and (entries <= MOST_ENTRIES or not one.words.startswith(ENTRY)):
            told.append(one)
    return told


def _changes(params: Params, counted: Counts, machine: Machine) -> Iterator[tuple[str, Params, Counts, Machine]]:
    """Settings that cost less, in words."""
    def other(words: str, section: str, **values: Any) -> tuple[str, Params, Counts, Machine]:
        own = getattr(params, section).model_copy(update=values)
        return words, params.model_copy(update={section: own}), counted, machine

    if params.seeds > 2:
        seeds = 3 if params.seeds > 3 else 2
        fewer = params.model_copy(update={"seeds": seeds})
        yield f"`seeds: {seeds}` instead of {params.seeds}", fewer, counted, machine
    half, (epochs, flops) = replace(counted, flops=counted.flops / 2), (params.budget.epochs, params.budget.flops)
    yield (f"`budget.flops: {flops / 2:.2g}` instead of {flops:.2g}" if flops else
           f"`budget.epochs: {epochs / 2:g}` instead of {epochs:g}"), params, half, machine
    rows, batch, together = params.evaluate.analysis_rows, params.loop.batch, params.evaluate.batch
    if min(rows, counted.test) > FEW_ROWS:
        yield other(f"`evaluate.analysis_rows: {FEW_ROWS}` instead of {rows:,}", "evaluate", analysis_rows=FEW_ROWS)
    if params.compare.latency:
        yield other("`compare.latency: false`", "compare", latency=False, latency_ms=None)
    yield other(f"`loop.batch: {batch // 2}` instead of {batch}", "loop", batch=max(1, batch // 2))
    yield other(f"`evaluate.batch: {together // 2}` instead of {together}", "evaluate", batch=max(1, together // 2))
    for beside in {1, machine.cores} - {machine.beside}:
        yield f"`loop.workers: {beside}` instead of {machine.beside}", params, counted, replace(machine, beside=beside)
    for name in params.train if len(params.train) > 1 else ():
        yield f"{ENTRY} `{name}`", _without(params, name), counted, machine


def _without(params: Params, name: str) -> Params:
    """Without an entry of `train`, and without a recipe that no other entry starts from."""
    train = {key: entry for key, entry in params.train.items() if key != name}
    used = {entry["start"] for entry in train.values()}
    pretrain = {key: entry for key, entry in params.pretrain.items() if key in used}
    return params.model_copy(update={"train": train, "pretrain": pretrain})
