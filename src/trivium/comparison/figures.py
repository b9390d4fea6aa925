"""The comparison in four pictures, as PNG and SVG; the same numbers give the same bytes.

Colours are those of Okabe & Ito (2008), which people with any colour vision can tell apart; a marker per strategy says
the same again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trivium.comparison.curves import history

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d")
MARKERS = "osD^vPpH"  # as in report/charts.py
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": "#888888", "axes.titlelocation": "left", "axes.titlesize": 11, "axes.axisbelow": True,
    "axes.labelcolor": "#333333", "xtick.color": "#333333", "ytick.color": "#333333", "grid.color": "#e6e6e6",
    "legend.frameon": False, "figure.dpi": 150, "svg.hashsalt": "trivium", "svg.fonttype": "none",
}


def write(out: Path, comparison: Mapping[str, Any], evaluated: Mapping[str, Any], trained: Mapping[str, Any]) -> None:
    """Fill the folder `out` with `accuracy`, `compute`, `learning` and `subsets`, each as .png and .svg.

    evaluated, trained: per strategy its `metrics.json` and `training.json`.
    """
    import matplotlib

    with matplotlib.rc_context(STYLE):
        _save(accuracy(comparison), out / "accuracy")
        _save(compute(comparison), out / "compute")
        _save(learning(comparison, trained), out / "learning")
        _save(subsets(comparison, evaluated), out / "subsets")


def accuracy(comparison: Mapping[str, Any]) -> Figure:
    """Forest plot: a strategy per line with its mean, its interval and its seeds; the ceiling where it is known."""
    found, order, looks = comparison["strategies"], _order(comparison), _looks(comparison)
    figure, axes = _figure(8.2, 1.5 + 0.46 * len(order))
    for row, name in enumerate(order):
        colour, marker = looks[name]
        span = found[name]["accuracy"]
        axes.plot([100 * span["low"], 100 * span["high"]], [row, row], color=colour, lw=2.4, solid_capstyle="round")
        axes.plot(100 * span["mean"], row, marker, color=colour, ms=9, mec="white", mew=1)
        seeds = [100 * seed["accuracy"] for seed in found[name]["seeds"].values()]
        axes.plot(seeds, [row + 0.24] * len(seeds), "o", color=colour, ms=3.5, alpha=0.55, mew=0)
    ceiling = comparison["dataset"].get("world", {}).get("bayes", {}).get("all")
    if ceiling is not None:
        axes.axvline(100 * ceiling, color="#666666", lw=1, ls=(0, (4, 3)))
        axes.annotate("best possible", (100 * ceiling, 1), (-4, 2), ha="right", va="bottom", color="#666666",
                      fontsize=9, xycoords=("data", "axes fraction"), textcoords="offset points")
    axes.set_yticks(range(len(order)), order)
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    _bold(axes.get_yticklabels(), comparison["verdict"]["recommended"])
    axes.grid(axis="x")
    axes.set_xlabel("test accuracy (%)")
    figure.suptitle(f"Test accuracy: mean, {_interval(comparison)}, and each of "
                    f"{comparison['settings']['seeds']} seeds", x=0.01, ha="left", fontsize=11)
    return figure


def compute(comparison: Mapping[str, Any]) -> Figure:
    """Test accuracy against the training compute that it took; equal costs stand side by side."""
    found, order, looks = comparison["strategies"], _order(comparison), _looks(comparison)
    figure, axes = _figure(8.2, 4.6)
    flops = {name: found[name]["flops"] for name in order}
    axes.set_xscale("log")
    axes.set_xlim(min(flops.values()) / 2, max(flops.values()) * 2)
    ends = []
    for name in order:
        colour, marker = looks[name]
        same = sorted(other for other in order if abs(flops[other] / flops[name] - 1) < 0.02)
        x = flops[name] * 1.025 ** (same.index(name) - (len(same) - 1) / 2)
        span = found[name]["accuracy"]
        axes.plot([x, x], [100 * span["low"], 100 * span["high"]], color=colour, lw=2, solid_capstyle="round")
        axes.plot(x, 100 * span["mean"], marker, color=colour, ms=9, mec="white", mew=1)
        ends.append((name, x, 100 * span["mean"]))
    _names(axes, ends, looks, comparison["verdict"]["recommended"])
    _decades(axes)
    axes.grid()
    axes.set_xlabel("training compute per seed, pretraining included (FLOPs)")
    axes.set_ylabel(f"test accuracy (%), {_interval(comparison)}")
    axes.set_title("What the accuracy costs (equal costs stand side by side)")
    return figure


def learning(comparison: Mapping[str, Any], trained: Mapping[str, Any]) -> Figure:
    """Validation NLL while compute is spent: a thin line per seed, a thick one for their mean."""
    order, looks = _order(comparison), _looks(comparison)
    figure, axes = _figure(8.2, 4.6)
    ends, top = [], 0.0
    for name in order:
        colour, marker = looks[name]
        runs = [history(seed, comparison["dataset"]["modalities"]) for seed in trained[name]["seeds"]]
        lines = [np.array([[step["flops"], step["val_nll"]] for step in run], float) for run in runs]
        if min(map(len, lines)) == 1:  # no training of its own
            x, y = np.mean([line[-1] for line in lines], axis=0)
            axes.plot(x, y, marker, color=colour, ms=9, mec="white", mew=1)
        else:
            for line in lines:
                axes.plot(*line.T, color=colour, lw=0.7, alpha=0.35)
            x, y = _mean(lines)
            axes.plot(x, y, color=colour, lw=2.2)
            axes.plot(x[-1], y[-1], marker, color=colour, ms=7, mec="white", mew=1)
            x, y, top = x[-1], y[-1], max(top, float(y[len(y) // 8]))
        ends.append((name, float(x), float(y)))
    lowest = min(y for *_, y in ends)
    highest = max(top, *(y for *_, y in ends))
    axes.set_ylim(max(0.0, lowest - 0.3 * (highest - lowest)), highest + 0.25 * (highest - lowest + 0.01))
    axes.set_xlim(0, 1.35 * max(x for _, x, _ in ends))
    _names(axes, ends, looks, comparison["verdict"]["recommended"])
    axes.grid()
    axes.set_xlabel("training compute, pretraining included (FLOPs)")
    axes.set_ylabel("validation NLL (nats); the lowest is kept")
    axes.set_title("Learning curves: thin lines are seeds, a lone marker combines components without training")
    return figure


def subsets(comparison: Mapping[str, Any], evaluated: Mapping[str, Any]) -> Figure:
    """Accuracy when only some modalities are there, strategies x subsets."""
    order = _order(comparison)
    place = {m: k for k, m in enumerate(comparison["dataset"]["modalities"])}
    columns = sorted(evaluated[order[0]]["seeds"][0]["subsets"],
                     key=lambda subset: (subset.count("+"), [place[m] for m in subset.split("+")]))
    values = 100 * np.array([[np.mean([seed["subsets"][subset]["accuracy"] for seed in evaluated[name]["seeds"]])
                              for subset in columns] for name in order])
    figure, axes = _figure(3.2 + 0.95 * len(columns), 1.9 + 0.42 * len(order))
    lowest, highest = values.min(), values.max()
    image = axes.imshow(values, cmap="Blues", vmin=lowest, vmax=max(highest, lowest + 1), aspect="auto")
    for row, column in np.ndindex(values.shape):
        dark = values[row, column] > (lowest + highest) / 2
        axes.text(column, row, f"{values[row, column]:.1f}", ha="center", va="center",
                  color="white" if dark else "#222222")
    axes.set_xticks(range(len(columns)), [subset.replace("+", "\n+ ") for subset in columns])
    axes.set_yticks(range(len(order)), order)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(len(columns) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(order) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", lw=2)
    axes.tick_params(which="minor", length=0)
    axes.set_axisbelow(False)
    _bold(axes.get_yticklabels(), comparison["verdict"]["recommended"])
    axes.set_xlabel("modalities that the model is shown")
    bar = figure.colorbar(image, label="test accuracy (%)", pad=0.02)
    bar.outline.set_visible(False)  # type: ignore[operator]
    figure.suptitle("When modalities are missing", x=0.01, ha="left", fontsize=11)
    return figure


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure  # without pyplot: no global state, no display

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path.with_suffix(".png"), metadata={"Software": None})
    figure.set_layout_engine("none")  # keeps the places that were just found
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None, "Creator": None})


def looks(names: Sequence[str], recommended: str) -> dict[str, tuple[str, str]]:
    """Colour and marker: the recommended strategy has the first, the others theirs by name, so that runs compare."""
    order = sorted(names, key=lambda name: (name != recommended, name))
    return {name: (COLOURS[k and 1 + (k - 1) % (len(COLOURS) - 1)], MARKERS[k % len(MARKERS)])
            for k, name in enumerate(order)}


def _looks(comparison: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return looks(list(comparison["strategies"]), comparison["verdict"]["recommended"])


def _order(comparison: Mapping[str, Any]) -> list[str]:
    found = comparison["strategies"]
    return sorted(found, key=lambda name: found[name]["rank"])


def _interval(comparison: Mapping[str, Any]) -> str:
    return f"{100 * comparison['settings']['confidence']:g} % interval"


def _bold(labels: Sequence[Any], name: str) -> None:
    for label in labels:
        if label.get_text() == name:
            label.set_fontweight("bold")


def _mean(lines: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The mean over seeds of lines `[K, 2]` in the range that all of them cover."""
    x = np.linspace(max(line[0, 0] for line in lines), min(line[-1, 0] for line in lines), 100)
    return x, np.mean([np.interp(x, *line.T) for line in lines], axis=0)


def _names(axes: Axes, ends: Sequence[tuple[str, float, float]], looks: Mapping[str, tuple[str, str]], bold: str,
           ) -> None:
    """Each point's name to the right of all of them, pushed apart where they would overlap, tied by a thin line."""
    low, high = axes.get_ylim()
    step = 0.062 * (high - low)
    placed = sorted(ends, key=lambda end: end[2])
    heights = np.array([y for *_, y in placed])
    for _ in range(200):  # relax until neighbours are a step apart
        gaps = step - np.diff(heights)
        if (gaps <= 1e-9).all():
            break
        push = np.maximum(gaps, 0) / 2
        heights[:-1] -= push
        heights[1:] += push
    heights += max(0.0, low + step / 2 - heights[0]) - max(0.0, heights[-1] - high + step / 2)
    right = max(x for _, x, _ in ends)
    away = 1.12 if axes.get_xscale() == "log" else 1.03
    for (name, x, y), height in zip(placed, heights, strict=True):
        axes.plot([x, right * away], [y, height], color=looks[name][0], lw=0.7, alpha=0.6)
        axes.text(right * away, height, f" {name}", color="#333333", va="center",
                  fontweight="bold" if name == bold else "normal")


def _decades(axes: Axes) -> None:
    """Plain labels at 1, 2 and 5 times powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0e}".replace("e+", "e")))
    axes.xaxis.set_minor_formatter(NullFormatter())
