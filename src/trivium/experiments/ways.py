"""The ways to update a model, each trained at every seed: from scratch on all rows, or from the model as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from trivium.comparison.updates import LEAVE
from trivium.settings.base import Count, Section
from trivium.settings.errors import UserError
from trivium.training.records import Seed, Trained

if TYPE_CHECKING:
    from trivium.data.store import Store
    from trivium.params import Params
    from trivium.strategies import Entry

Name = Literal["finetune", "replay", "ewc", "replay+ewc", "scratch"]
WAYS: tuple[Name, ...] = ("finetune", "replay", "ewc", "replay+ewc", "scratch")
TITLES = {LEAVE: "As it is", "finetune": "Fine-tuning on new rows alone", "replay": "Fine-tuning with replay",
          "ewc": "Fine-tuning with EWC", "replay+ewc": "Fine-tuning with replay and EWC",
          "scratch": "Training from scratch on old and new rows"}


class Settings(Section):
    """Of an update. replay: share of each batch that old rows give.  reservoir: old train rows that are kept for it.
    ewc: lambda; 1 weighs the old data as Bayes' rule does.  budget: share of what the model's own training cost, in
    FLOPs.  ways: those that are compared; empty: all that the strategy allows.  strategy: an entry of `train`; empty:
    the recommended one.  name: of the update; empty: that of the manifest.
    """

    replay: Annotated[float, Field(gt=0, lt=1)] = 0.2
    reservoir: Count = 500
    ewc: Annotated[float, Field(ge=0)] = 1.0
    budget: Annotated[float, Field(gt=0, le=1)] = 0.25
    ways: tuple[Name, ...] = ()
    strategy: str = ""
    name: str = ""


@dataclass(frozen=True)
class Job:
    """One update. root, home: folders, absolute, of the project and of what can be made again.  first: rows of the
    store at `home` from here on are new.
    """

    root: Path
    home: Path
    params: Params
    entry: Entry
    trained: Trained
    settings: Settings
    store: Store
    first: int

    @property
    def seeds(self) -> list[Seed]:
        return self.trained.seeds

    def ratio(self, seed: int) -> float:
        """Train rows now over those before: an epoch from scratch costs so many times as much."""
        train = self.store.rows(seed, "train")
        return len(train) / int((train < self.first).sum())


def train(job: Job, ways: Sequence[str]) -> tuple[dict[str, float], float]:
    """Models of each way in `models/WAY`. Returns FLOPs of a seed, on average, by way, and those from scratch."""
    full = float(np.mean([one.flops.total * job.ratio(one.seed) for one in job.seeds]))
    flops = {LEAVE: 0.0}
    for way in ways:
        found = _scratch(job) if way == "scratch" else _continue(job, way)
        flops[way] = float(np.mean([one.flops.total for one in found.seeds]))
    return flops, flops.get("scratch", full)


def _scratch(job: Job) -> Trained:
    from dataclasses import replace

    from trivium.stage import fresh
    from trivium.training import budget, strategy
    from trivium.training.pretrain import pretrain

    limits = [one * job.ratio(seed) for seed, one in enumerate(budget.read(job.root))]
    with fresh(f"models/pretrain/{job.entry.start}") as out:
        pretrain(job.params.recipe(job.entry.start), job.params.loop, limits, out)
    with fresh("models/scratch") as out:
        strategy.train(replace(job.entry, name="scratch"), job.params.loop, limits, out)
    found = Trained.read("models/scratch/training.json")
    if found.skipped:
        raise UserError(f"From scratch: {found.skipped.sentence} Or leave out `scratch` (--ways).")
    return found


def _parent(job: Job) -> Path:
    """The folder of the models that go on, linked below the working directory with what belongs to them."""
    from trivium.training import jobs

    home = Path("parent")
    for name in (job.entry.name, f"pretrain/{job.entry.start}"):
        jobs.copy(job.root / "models" / name, home / name)
    return home / job.entry.name


def _continue(job: Job, way: str) -> Trained:
    from trivium.data.store import Store
    from trivium.stage import fresh
    from trivium.training import continued, jobs

    phases, settings = job.entry.plan.phases, job.settings
    parent = _parent(job)
    lr = phases[-1].lr if phases else job.params.recipe(job.entry.start).lr
    units = [continued.Unit(
        job.entry, job.trained.fusion, one.seed, job.params.loop, parent / f"seed_{one.seed}", job.first,
        settings.replay if "replay" in way else 0.0, settings.reservoir, settings.ewc if "ewc" in way else 0.0, lr,
        settings.budget * one.flops.total) for one in job.seeds]
    done = jobs.run(f"update: {way}", continued.train,
                    [(f"seed_{unit.seed}", unit, unit.key(job.store)) for unit in units], job.params.loop,
                    [*Store(job.entry.start).inputs, parent.parent])
    with fresh(f"models/{way}") as out:
        for seed, (folder, _) in done.items():
            jobs.copy(folder / "model", out / seed)
        seeds = [one.record for _, one in done.values() if isinstance(one.record, Seed)]
        found = job.trained.model_copy(update={"entry": way, "title": TITLES[way], "seeds": seeds})
        found.write(out / "training.json")
    return found
