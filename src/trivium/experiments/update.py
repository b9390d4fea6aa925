"""`trivium update`: further rows have come, of new classes or from elsewhere. Is the recommended model to be updated,
how, and what does that cost?

Every way starts from the models of the strategy that the last comparison recommends, one per seed, and may spend the
same share of what those cost: fine-tuning on new rows alone, with old rows among them, with elastic weight
consolidation, or with both. Beside them stand training from scratch on all rows, at its full cost, and the model as it
is, which is the line to beat.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trivium.comparison.out import PATH, Comparison
from trivium.comparison.updates import LEAVE, OUT, Judged, Rows, Update
from trivium.experiments.ways import TITLES, WAYS, Job, Settings, train
from trivium.settings.errors import UserError
from trivium.stage import fresh
from trivium.training.records import Trained

if TYPE_CHECKING:
    from trivium.data.arrivals import Places
    from trivium.data.store import Store
    from trivium.params import Params
    from trivium.strategies import Entry
    from trivium.tasks import Task

HOME = Path(".cache/updates")  # what can be made again
MODELS = Path("models/updates")
REFIT = "Fitting anew on old and new rows"


def update(root: Path, manifest: Path, settings: Settings) -> Update:
    """Compare the ways, write `reports/update.json` and `.html`, pack the chosen model into `models/updates/NAME` and
    register it. Raises: UserError.
    """
    from trivium.data.store import Store
    from trivium.params import load

    root = root.resolve()
    params = load(root / "params.yaml")
    entry, trained = _parent(root, params, settings)
    ways = _ways(entry, settings)
    if not manifest.is_file():
        raise UserError(f"There is no file {manifest}: name a CSV, JSONL or Parquet file with the columns of the "
                        "present data.")
    name = _name(settings.name or manifest.stem)
    before = Store(entry.start, root)
    _check(root, before, entry)
    home = root / HOME / name
    task, places, out = _arrive(root, home, manifest.resolve(), params, before)
    job = Job(root, home, params, entry, trained, settings, Store(entry.start, home), len(before))
    with contextlib.chdir(home):  # where the stages' functions look for models and features
        _linked(root, home, before)
        flops, full = train(job, ways)
        judged = _judge(job, [LEAVE, *ways], places, flops, full, task)
    found = Update(
        name=name, manifest=manifest.name, digest=_digest(manifest), parent=entry.name, title=trained.title,
        task=task.name, metric=_metric(job, task).plain(), confidence=params.compare.confidence,
        seeds=len(job.seeds), rows=_rows(job, out), further=list(task.categories[len(before.task.categories):]),
        settings={"replay": settings.replay, "reservoir": settings.reservoir, "ewc": settings.ewc,
                  "budget": settings.budget}, full=full, ways=judged.ways, gaps=judged.gaps,
        chosen=judged.choice.recommended or LEAVE, sentence=judged.sentence, reason=judged.reason,
        notes=[*places.warnings, *_notes(entry, ways, task, before.task)])
    return _keep(job, found)


def _parent(root: Path, params: Params, settings: Settings) -> tuple[Entry, Trained]:
    chosen = settings.strategy
    if not chosen:
        comparison = Comparison.found(root / PATH)
        if comparison is None or not comparison.verdict.recommended:
            raise UserError("Nothing is recommended here that could be updated: run `make repro`, or name a trained "
                            "strategy with --strategy.")
        chosen = comparison.verdict.recommended
    trained = Trained.of(chosen, root)
    if chosen not in params.entries or trained is None or trained.skipped:
        raise UserError(f"There is no trained strategy `{chosen}`: run `dvc repro`, or name another with --strategy.")
    return params.entries[chosen], trained


def _ways(entry: Entry, settings: Settings) -> list[str]:
    """Those that are asked for, in the order of `WAYS`; of what has no weights to go on with, fitting anew alone."""
    fitted = entry.plan.combine in ("linear", "boosting")
    if fitted and set(settings.ways) - {"scratch"}:
        raise UserError(f"`{entry.name}` is fitted in one go and has no training to go on with: leave out --ways, or "
                        "name `scratch` alone, which fits it anew on old and new rows.")
    asked = settings.ways or (("scratch",) if fitted else WAYS)
    return [way for way in WAYS if way in asked]


def _name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "update"


def _digest(manifest: Path) -> str:
    from trivium.data.tables import digest

    return digest(manifest.read_bytes())


def _check(root: Path, store: Store, entry: Entry) -> None:
    from trivium.data.tables import read_json

    for path in sorted((root / "models" / entry.name).glob("seed_*/model.json")):
        if read_json(path)["features"] != store.digest:
            raise UserError(f"{path.parent} was trained on other features than data/features holds now: run "
                            "`dvc repro`, and then this.")


def _arrive(root: Path, home: Path, manifest: Path, params: Params, before: Store) -> tuple[Task, Places, int]:
    """Read the new rows and put them behind the old ones. Returns the task with their classes, where each row is, and
    how many rows are in quarantine.
    """
    from trivium import tasks
    from trivium.data import arrivals, extended
    from trivium.data.alignment import align
    from trivium.data.meta import Meta
    from trivium.data.sources import manifest as source
    from trivium.data.validation import validate

    raw, valid, aligned = (home / "new" / stage for stage in ("raw", "valid", "aligned"))
    shutil.rmtree(home / "new", ignore_errors=True)
    shutil.rmtree(home / "data", ignore_errors=True)
    read = params.data.manifest.model_copy(update={"path": str(manifest)})
    with contextlib.chdir(root):
        source.write(raw, read, params.data.seed, params.data.streams, params.kind, further=True)
        report = validate(raw, valid, params.streams, params.validate_, params.task, before.task)
        align(valid, aligned, params.streams, params.align, whole=True)
        task = tasks.of(Meta.read(aligned / "meta.json").task or {})
        places = arrivals.place(root, valid, aligned, params.streams, params.split, params.seeds, task,
                                params.validate_.placeholder_share)
        extended.write(before, aligned, places, task, home)
    return task, places, sum(one["quarantined"] for one in report["tables"].values())


def _linked(root: Path, home: Path, store: Store) -> None:
    """Weights and tokenizers in folders of the user's, which settings name from the project."""
    for one in store.encoders.values():
        for path in (one.weights, str(one.processor[1].get("tokenizer", ""))):
            if path and (root / path).exists() and not (home / path).exists():
                (home / path).parent.mkdir(parents=True, exist_ok=True)
                (home / path).symlink_to((root / path).resolve())


def _metric(job: Job, task: Task) -> Any:
    from trivium.comparison.build import ranking

    return ranking(task, job.params.compare.metric)


def _judge(job: Job, ways: Sequence[str], places: Places, flops: Mapping[str, float], full: float, task: Task,
           ) -> Judged:
    """The only place that reads test rows."""
    from trivium.comparison.pairs import Rules
    from trivium.comparison.updates import Answered, judge
    from trivium.evaluation.further import outcome

    store, seeds, rules = job.store, [one.seed for one in job.seeds], job.params.compare
    groups = np.concatenate([places.old, places.new])
    tested = []
    for old in (True, False):
        rows = [row[(row < job.first) == old] for row in (store.rows(seed, "test") for seed in seeds)]
        outcomes = {way: [outcome(job.root / "models" / job.entry.name if way == LEAVE else Path("models") / way,
                                  store, own, seed, job.params.evaluate.batch)
                          for seed, own in zip(seeds, rows, strict=True)] for way in ways}
        weights = [store.weights(own) for own in rows]
        known = [one.astype(np.float64) for one in weights if one is not None]
        tested.append(Answered(outcomes, [groups[own] for own in rows], rows, known or None))
    titles = TITLES | ({"scratch": REFIT} if job.entry.plan.combine in ("linear", "boosting") else {})
    return judge(task.fitted(store.labels(store.rows(seeds[0], "train"))), tested[0], tested[1], titles, flops, full,
                 Rules(rules.bootstrap, rules.confidence, rules.threshold, None,
                       job.params.evaluate.calibration_bins, _metric(job, task)))


def _rows(job: Job, quarantined: int) -> Rows:
    def mean(split: str, old: bool) -> float:
        drawn = [job.store.rows(one.seed, split) for one in job.seeds]
        return float(np.mean([((rows < job.first) == old).sum() for rows in drawn]))

    return Rows(train=mean("train", False), val=mean("val", False), test=mean("test", False),
                old_train=mean("train", True), old_test=mean("test", True), quarantined=quarantined)


def _notes(entry: Entry, ways: Sequence[str], task: Task, before: Task) -> list[str]:
    notes = []
    if new := task.categories[len(before.categories):]:
        notes.append(f"New: {', '.join(f'`{one}`' for one in new)}. The model as it is cannot give such an answer: on "
                     "these rows it is wrong by definition.")
    if entry.plan.combine in ("linear", "boosting"):
        notes.append(f"`{entry.name}` is fitted in one go, which is cheap: there is nothing to go on with, and all "
                     "that is compared is to fit it anew on all rows.")
    elif "scratch" not in ways:
        notes.append("Training from scratch was not run; what it costs is that of the model, for more rows.")
    return notes


def _keep(job: Job, found: Update) -> Update:
    """Pack and register the chosen model, and write the report."""
    from trivium.report import update as page
    from trivium.serving import package
    from trivium.tracking import lineage, server

    folder = job.root / MODELS / found.name
    with fresh(folder) as scratch:
        if found.chosen != LEAVE:
            package.write(job.home, found.chosen, scratch)
            found = found.model_copy(update={"model": f"{MODELS}/{found.name}"})
        shutil.copy(job.home / "new/valid/quarantine.parquet", scratch / "quarantine.parquet")
    found.write(job.root / OUT)
    found.write(folder / lineage.ABOUT)
    page.write(job.root, found)
    if found.chosen != LEAVE:
        try:
            return lineage.write(job.root, found)
        except UserError as error:  # the next sync writes it
            if server.address() is None:
                raise
            print(f"note: {error}")
    return found
