"""One strategy at every seed: its plan, phase by phase, through the one loop, within the budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from trivium.data.store import Store
from trivium.data.tables import digest
from trivium.machine.measured import Measured
from trivium.strategies import Entry
from trivium.training import code, components, jobs, private, tuning
from trivium.training.budget import enough
from trivium.training.records import Lacking, Seed, Skipped, Started, Trained
from trivium.training.settings import Loop, Tune

Watch = Callable[[float, float, float], None]  # (share of its training, 0-1, validation NLL, FLOPs without the recipe)


@dataclass(frozen=True)
class Unit:
    """A strategy at a seed. fusion: see `fusion.chosen`, null without one.  limit: the budget, FLOPs.  watch: is shown
    every evaluation, and may end the training by what it raises.  secret: of what is private, for its noise.
    """

    entry: Entry
    fusion: dict[str, Any] | None
    seed: int
    loop: Loop
    limit: float
    watch: Watch | None = None
    secret: bytes = b""


def train(entry: Entry, loop: Loop, budgets: Sequence[float], out: Path, tune: Tune | None = None) -> Measured:
    """Write `<out>/seed_<k>/` and `<out>/training.json`. Returns what it cost.

    budgets: FLOPs per seed.
    """
    store, fusion = Store(entry.start), chosen_fusion(entry)
    about = Trained(entry=entry.name, title=entry.title, strategy=entry.strategy, start=entry.start,
                    recipe=_recipe(store), fusion=fusion, seeds=[])
    if lacking := components.told(entry.start).skipped:
        return _skip(about, lacking, f"its recipe `{entry.start}`", out)
    for phase in entry.plan.phases:
        if phase.private:
            rows = min(len(store.rows(seed, "train")) for seed in range(len(budgets)))
            private.check(phase.private, loop, f"train.{entry.name}", rows, tune.trials if tune else 0)
    units, took = [Unit(entry, fusion, seed, loop, limit) for seed, limit in enumerate(budgets)], None
    if tune and tune.trials:
        found, took = tuning.tune(units, [_key(store, unit) for unit in units], tune, components.inputs(store))
        units, about = tuning.chosen(found, units), about.model_copy(update={"tuning": found})
    todo = [(f"seed_{unit.seed}", unit) for unit in units]
    keyed = [(name, unit, _key(store, unit)) for name, unit in todo]
    if any(phase.private for phase in entry.plan.phases):
        keyed = [(name, replace(unit, secret=private.secret(jobs.HOME.parent, key)), key) for name, unit, key in keyed]
    done = jobs.run(entry.name, _work, keyed, loop, components.inputs(store),
                    partial(_need, store, entry, fusion, loop) if fusion else None)
    records = [done[name][1].record for name, _ in todo]
    if lacking := next((record for record in records if isinstance(record, Lacking)), None):
        return _skip(about, lacking, "it", out)
    for name, (folder, _) in done.items():
        jobs.copy(folder / "model", out / name)
    seeds = [record for record in records if isinstance(record, Seed)]
    about.model_copy(update={"seeds": seeds}).write(out / "training.json")
    cost = jobs.measured(done, "seeds")
    return cost.model_copy(update={"tuning": took.tuning if took else []})


def _need(store: Store, entry: Entry, fusion: dict[str, Any], loop: Loop, units: int) -> str:
    """What training takes of memory, in words."""
    from trivium.training import memory

    moves = any(part not in ("fusion", "head") for phase in entry.plan.phases for part in phase.train)
    return memory.said(memory.of_network(store, fusion, loop, moves), loop, units)


def _skip(about: Trained, lacking: Lacking, who: str, out: Path) -> Measured:
    """Write the record of a strategy that was not begun."""
    budget, needed = lacking.budget, lacking.needed
    times = needed / budget
    more = f"{math.ceil(100 * (times - 1))} % more" if times < 1.5 else f"{float(f'{times:.2g}'):,.10g} times as much"
    setting = enough(budget, needed)
    words = (f"{about.title} was not begun: one epoch of what {who} trains costs more than the budget of "
             f"{budget:.2e} FLOPs leaves. It needs a budget of at least {needed:.2e} FLOPs, {more}: "
             f"set {setting} in params.yaml.")
    skipped = Skipped(budget=budget, needed=needed, setting=setting, sentence=words)
    about.model_copy(update={"skipped": skipped}).write(out / "training.json")
    print(words, flush=True)
    return Measured()


def chosen_fusion(entry: Entry) -> dict[str, Any] | None:
    """The fusion with every default filled in. Raises: UserError."""
    from trivium import fusion

    return fusion.chosen(entry.plan.fusion, f"train.{entry.name}.fusion") if entry.plan.combine == "fusion" else None


def _recipe(store: Store) -> Started:
    weights = {s: encoder.weights.removeprefix("package:") for s, encoder in store.encoders.items() if encoder.weights}
    return Started(objectives=components.told(store.recipe).objectives,
                   encoders={s: read.entry for s, read in store.reads.streams.items()}, published=list(weights),
                   external=", ".join(weights.values()))


def _key(store: Store, unit: Unit) -> str:
    """Of all that the weights depend on; names of entries are no part of it."""
    files = [components.folder(store.recipe, s, unit.seed) / "model.safetensors" for s in store.streams]
    about = {"strategy": unit.entry.strategy, "settings": unit.entry.settings, "fusion": unit.fusion,
             "seed": unit.seed, "loop": unit.loop.decides(), "limit": unit.limit,
             "reads": store.digest, "components": [digest(file.read_bytes()) for file in files],
             "charged": components.charged(store.recipe, unit.seed),
             "apart": components.apart(store.recipe, store.streams)}  # names the recipe, and so does the model
    modules = code.of_strategy(store.encoders.values(), type(store.task), unit.entry)
    return jobs.key(modules, about)


def _work(unit: Unit, folder: Path, report: jobs.Report) -> Seed | Lacking:
    if unit.entry.plan.combine == "fusion":
        from trivium.training import fused

        return fused.train(unit, folder, report)
    if unit.entry.plan.combine == "linear":
        from trivium.training import probed

        return probed.train(unit, folder, report)
    if unit.entry.plan.combine == "boosting":
        from trivium.training import boosted

        return boosted.train(unit, folder, report)
    if unit.entry.plan.combine == "selection":
        from trivium.training import selected

        return selected.train(unit, folder, report)
    if unit.entry.plan.combine == "prompts":
        from trivium.training import prompted

        return prompted.train(unit, folder, report)
    from trivium.training import late_fusion

    return late_fusion.combine(unit, folder, report)
