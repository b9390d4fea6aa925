"""Small tables for `dvc plots show`, drawn by the templates in .dvc/plots, and for `dvc metrics show`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trivium import tasks
from trivium.comparison.out import Comparison
from trivium.data.tables import write_json
from trivium.evaluation.metrics import Evaluation
from trivium.machine.spreadsheet import safe
from trivium.tasks.scores import confusion_in
from trivium.training.records import Seed, Step, Trained

WHOLE = 40  # classes; with more, the cells of the confusion matrix that are not 0


def write(out: Path, comparison: Comparison, folder: Path, trained: Mapping[str, Trained]) -> None:
    """Fill the folder `out` with `strategies.csv`, `learning.csv` and `confusion.csv` (of the recommended strategy, or
    of the best where none is).

    folder: holds `<strategy>/metrics.json` and `predictions.parquet`;  trained: per strategy its `training.json`.
    """
    order, metrics, streams = comparison.order, list(comparison.metrics), comparison.dataset.streams
    columns = ("strategy", "flops", "value", "low", "high", *metrics, "failed_share")
    entries = [(name, comparison.strategies[name]) for name in order]
    _csv(out / "strategies.csv", columns, (
        (name, one.flops, span.mean, span.low, span.high, *(one.metrics[key].mean for key in metrics), one.failed_share)
        for name, one in entries for span in [one.metrics[comparison.metric]]))
    _csv(out / "learning.csv", ("strategy", "seed", "phase", "flops", "train_loss", "val_nll", "val_score"), (
        (name, seed.seed, step.phase, step.flops, step.train_loss, step.val_nll, step.val_score)
        for name in order for seed in trained[name].seeds for step in history(seed, streams)))
    chosen = folder / (comparison.verdict.recommended or order[0])
    _csv(out / "confusion.csv", ("label", "prediction", "share"), _confusion(chosen))


def _confusion(folder: Path) -> Iterable[tuple[str, str, str]]:
    """Label, prediction and share of a strategy's confusion matrix; nothing where its answers are no classes."""
    task = tasks.of(Evaluation.read(folder / "metrics.json").task)
    if not task.categorical:
        return
    classes = task.categories
    shares = confusion(folder / "predictions.parquet", len(classes))
    shown = np.ones_like(shares, bool) if len(classes) <= WHOLE else shares > 0
    for row, column in np.argwhere(shown):
        yield classes[row], classes[column], f"{shares[row, column]:.4f}"


def summary(out: Path, comparison: Comparison) -> None:
    """Fill the folder `out` with a file of few numbers per strategy, which DVC shows as a line each."""
    verdict = comparison.verdict
    for name, one in comparison.strategies.items():
        span = one.metrics[comparison.metric]
        write_json({
            "rank": one.rank, **{key: one.metrics[key].mean for key in comparison.metrics},
            "low": span.low, "high": span.high, "failed": one.failed_share, "flops": one.flops,
            "parameters": one.parameters.total, "winner": int(name == verdict.winner),
            "recommended": int(name == verdict.recommended),
        }, out / f"{name}.json")


def history(seed: Seed, streams: Sequence[str]) -> list[Step]:
    """A seed's own learning curve. A strategy that only combines components is one point: where it ends."""
    own = [step for step in seed.history if step.phase not in streams]
    return own or [Step(step=0, epoch=0.0, phase="combined", flops=seed.flops.total, train_loss=None,
                        val_nll=seed.validation.nll, val_score=seed.validation.score)]


def confusion(predictions: Path, classes: int) -> np.ndarray:
    """Shares of each label's samples `[C, C]`, all seeds together: rows are labels and sum to one."""
    counts = confusion_in(predictions, classes)
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)


def _csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([safe(cell) for cell in row] for row in (columns, *rows))
