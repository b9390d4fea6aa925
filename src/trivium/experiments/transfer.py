"""`trivium domains --transfer`: what a few labels of a held-out domain are worth.

The models of an experiment, which have never seen the domain, go on with a few labelled rows of it. Beside them stand
the same strategy and the simple reference, trained on these rows alone. Each may spend the budget of the comparison;
all are tested on the rest of the domain.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from trivium.comparison.out import Comparison
from trivium.comparison.transfers import CONTINUED, REFERENCE, SCRATCH, Level, Transfer, level
from trivium.data import few, tables
from trivium.settings.errors import UserError
from trivium.training.records import Trained

if TYPE_CHECKING:
    from trivium.comparison.pairs import Rules
    from trivium.data.store import Store
    from trivium.params import Params
    from trivium.strategies import Entry

HOME = Path(".cache/transfer")  # what can be made again
LABELS = (0, 10, 50)  # of each class
FEATURES = Path("data/features")


@dataclass(frozen=True)
class Job:
    """whole: the folder with the outs of the experiment;  groups: int64 [N], of all rows;  drawn: by seed."""

    params: Params
    entry: Entry
    trained: Trained
    whole: Path
    store: Store
    groups: np.ndarray
    drawn: list[few.Drawn]


def transfer(root: Path, params: Params, name: str, found: Comparison) -> Transfer | None:
    """Of the experiment `name`, whose comparison is `found`; None where no strategy has weights to go on with, or the
    domain has too few groups of each class. Raises: UserError (the outs of the experiment are not in DVC's cache).
    """
    from trivium.comparison.build import ranking
    from trivium.comparison.pairs import Rules
    from trivium.data.store import Store

    entry = _chosen(params, found)
    if entry is None:
        return None
    root = root.resolve()
    whole = root / HOME / name
    _fetch(root, name, whole, entry)
    trained = Trained.read(whole / "models" / entry.name / "training.json")
    store = Store(entry.start, whole)
    groups = tables.read(whole / "data/splits/splits.parquet", ["group"])["group"].to_numpy()
    targets = store.labels(np.arange(len(store)))
    strata = store.task.strata(targets)
    drawn = [few.draw(store.rows(one.seed, "domain"), strata, groups, one.seed) for one in trained.seeds]
    wanted = few.levels(drawn, LABELS)
    if wanted == [0]:
        return None
    job, rules = Job(params, entry, trained, whole, store, groups, drawn), params.compare
    using = Rules(rules.bootstrap, rules.confidence, rules.threshold, None, params.evaluate.calibration_bins,
                  ranking(store.task, rules.metric))
    made = [_level(job, labels, wanted[-1], using) for labels in wanted]
    test = float(np.mean([len(one.test(wanted[-1])) for one in drawn]))
    return Transfer(strategy=entry.name, title=trained.title, test=test, levels=made)


def _chosen(params: Params, found: Comparison) -> Entry | None:
    """The recommended strategy, or else the best that has weights to go on with."""
    order = [found.verdict.recommended, *found.order]
    entries = [params.entries[name] for name in order if name]
    return next((one for one in entries if one.plan.combine == "fusion"), None)


def _fetch(root: Path, name: str, whole: Path, entry: Entry) -> None:
    """The outs of the experiment that are needed, from DVC's cache."""
    from trivium.experiments.dvc import dvc, reference

    for path in ("data/features", "data/reads", "data/splits", "models/budget.json", f"models/{entry.name}"):
        if (whole / path).exists():
            continue
        (whole / path).parent.mkdir(parents=True, exist_ok=True)
        words = (str(root), path, "--rev", str(reference(root, name)), "--out", str(whole / path), "--quiet")
        if dvc(root, "get", *words):
            raise UserError(f"{path} of experiment {name} is not in DVC's cache: remove the experiment (`dvc exp "
                            f"remove {name}`) and run the same command again.")


def _level(job: Job, labels: int, most: int, using: Rules) -> Level:
    from trivium.data.store import Store
    from trivium.evaluation.further import outcome

    seeds = [one.seed for one in job.trained.seeds]
    home = job.whole.with_name(f"{job.whole.name}-{labels}")
    rows = [one.test(most) for one in job.drawn]
    batch = job.params.evaluate.batch
    _write(job, home, labels)
    with contextlib.chdir(home):
        folders = _trained(job, home) if labels else {CONTINUED: job.whole / "models" / job.entry.name}
        stores = {way: Store(job.params.entries[job.params.compare.reference].start if way == REFERENCE else
                             job.entry.start) for way in folders}
        found = {way: [outcome(folder, stores[way], own, seed, batch) for seed, own in zip(seeds, rows, strict=True)]
                 for way, folder in folders.items()}
    weights = [one.astype(np.float64) for own in rows if (one := job.store.weights(own)) is not None]
    whole = min(len(np.unique(job.groups[own])) for own in rows) >= tables.GROUPS
    ids = np.concatenate([job.groups[own] if whole else own for own in rows])
    units = np.split(np.unique(ids, return_inverse=True)[1], np.cumsum([len(own) for own in rows])[:-1])
    count = float(np.mean([sum(map(len, one.labelled(labels))) for one in job.drawn]))
    return level(job.store.task, labels, count, found, units, weights or None, using)


def _write(job: Job, home: Path, labels: int) -> None:
    """`data` below `home`: the features of the experiment, and splits of which the domain's few rows are train and val.
    """
    from trivium.data.readings import READS, Reads

    shutil.rmtree(home / "data", ignore_errors=True)
    (home / FEATURES).mkdir(parents=True)
    for path in (job.whole / FEATURES).iterdir():
        if path.name != "samples.parquet":
            (home / FEATURES / path.name).symlink_to(path)
    table = tables.read(job.whole / FEATURES / "samples.parquet")
    for one, drawn in zip(job.trained.seeds, job.drawn, strict=True):
        sides = np.full(len(table), tables.SPLITS.index("unused"))
        for side, rows in zip(("train", "val"), drawn.labelled(labels), strict=True):
            sides[rows] = tables.SPLITS.index(side)
        name = f"seed_{one.seed}"
        own = pa.array(tables.SPLITS).take(pa.array(sides)).cast(table[name].type)
        table = table.set_column(table.column_names.index(name), name, own)
    tables.write(table, home / FEATURES / "samples.parquet")
    mark = tables.digest((home / FEATURES / "samples.parquet").read_bytes())
    for path in (job.whole / READS).glob("*.json"):
        with contextlib.suppress(UserError):  # others lie there too
            Reads.read(path).model_copy(update={"samples": mark}).write(home / READS / path.name)


def _trained(job: Job, home: Path) -> Mapping[str, Path]:
    """The folder of the models of each way."""
    from trivium.training import budget

    limits = budget.read(job.whole)
    ways = {CONTINUED: _continued(job, limits, home), SCRATCH: _alone(job, job.entry, SCRATCH, limits, home)}
    name = job.params.compare.reference
    if name and name != job.entry.name:
        ways[REFERENCE] = _alone(job, job.params.entries[name], REFERENCE, limits, home)
    return ways


def _alone(job: Job, entry: Entry, name: str, limits: Sequence[float], home: Path) -> Path:
    """Trained on the few rows alone, its recipe included."""
    from trivium.stage import fresh
    from trivium.training import strategy
    from trivium.training.pretrain import pretrain

    with fresh(f"models/pretrain/{entry.start}") as out:
        pretrain(job.params.recipe(entry.start), job.params.loop, limits, out)
    with fresh(f"models/{name}") as out:
        strategy.train(replace(entry, name=name), job.params.loop, limits, out)
    if skipped := Trained.read(f"models/{name}/training.json").skipped:
        raise UserError(skipped.sentence)
    return home / "models" / name


def _continued(job: Job, limits: Sequence[float], home: Path) -> Path:
    from trivium.data.store import Store
    from trivium.stage import fresh
    from trivium.training import continued, jobs

    shutil.rmtree(home / "parent", ignore_errors=True)
    jobs.copy(job.whole / "models" / job.entry.name, home / "parent")
    lr = job.entry.plan.phases[-1].lr
    units = [continued.Unit(job.entry, job.trained.fusion, one.seed, job.params.loop,
                            Path("parent") / f"seed_{one.seed}", 0, 0.0, 0, 0.0, lr, limits[one.seed])
             for one in job.trained.seeds]
    store = Store(job.entry.start)
    done = jobs.run("transfer", continued.train, [(f"seed_{unit.seed}", unit, unit.key(store)) for unit in units],
                    job.params.loop, [*store.inputs, Path("parent")])
    with fresh(f"models/{CONTINUED}") as out:
        for seed, (folder, _) in done.items():
            jobs.copy(folder / "model", out / seed)
    return home / "models" / CONTINUED
