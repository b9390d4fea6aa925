"""Pictures of one strategy: its confusion matrix and its training curves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.tracking.outs import Outcome
from trivium.tracking.series import curves, mean_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WRITE_NUMBERS_UP_TO = 20  # classes


def confusion(outcome: Outcome, predictions: Path, path: Path) -> None:
    """Shares of each true class, all seeds together (PNG)."""
    import numpy as np

    from trivium.evaluation.metrics import confusion_in

    classes = outcome.metrics["classes"]
    counts = confusion_in(predictions, len(classes))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = min(4.5 + 0.3 * len(classes), 14)
    figure = _figure(size + 1, size)
    margin = 1.3 / size
    axes = figure.subplots(gridspec_kw={"left": margin, "right": 0.92, "bottom": margin, "top": 0.93})
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, label="share of the true class", fraction=0.046)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(f"{outcome.name}: confusion, {len(outcome.metrics['seeds'])} seeds together")
    if len(classes) <= WRITE_NUMBERS_UP_TO:
        axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
        axes.set_yticks(range(len(classes)), classes)
        for row, column in np.ndindex(shares.shape):
            if counts[row, column]:
                axes.text(column, row, f"{100 * shares[row, column]:.0f}", ha="center", va="center", fontsize=8,
                          color="white" if shares[row, column] > 0.5 else "black")
    figure.savefig(path)


def training(outcome: Outcome, path: Path) -> None:
    """Loss and validation against the share of the budget: each seed thin, the mean thick (PNG)."""
    figure = _figure(11, 3.6)
    panels = {"train/loss": "training loss", "val/nll": "validation NLL", "val/accuracy": "validation accuracy"}
    means = mean_curves(outcome.training["seeds"])
    places = {"left": 0.05, "right": 0.98, "bottom": 0.15, "top": 0.83}  # a layout engine would draw everything twice
    for axes, (name, title) in zip(figure.subplots(1, 3, gridspec_kw=places), panels.items(), strict=True):
        for seed in outcome.training["seeds"]:
            _line(axes, curves(seed)[name], color="#8fb4d9", linewidth=0.8, marker="o", markersize=2)
        _line(axes, means.get(name, {}), color="#1f4e79", linewidth=2.2, marker="o", markersize=3)
        if name not in means:
            axes.text(0.5, 0.5, "no training of its own", ha="center", va="center", transform=axes.transAxes)
        axes.set_title(title)
        axes.set_xlabel("% of the compute budget")
        axes.set_xlim(0, 103)
        axes.grid(alpha=0.3)
    figure.suptitle(outcome.name)
    figure.savefig(path)


def _line(axes: Any, line: Mapping[int, float], **style: Any) -> None:
    axes.plot(list(line), list(line.values()), **style)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure  # without pyplot: no global state, no display

    return Figure(figsize=(width, height), dpi=100)
