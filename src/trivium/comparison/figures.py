"""The comparison in four pictures, as SVG: sharp at any size; the same numbers give the same bytes.

Colours are those of Okabe & Ito (2008), which people with any colour vision can tell apart; a marker per strategy says
the same again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from trivium.comparison import reads
from trivium.comparison.curves import history
from trivium.comparison.out import Comparison
from trivium.drawing import numbers
from trivium.drawing.charts import SHAPES, spread
from trivium.drawing.looks import short
from trivium.drawing.scale import Scale, around
from trivium.drawing.svg import drawing, tag
from trivium.evaluation.metrics import Evaluation
from trivium.tasks.metric import Metric
from trivium.training.records import Trained

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d")
QUIET, LINE = "#59636e", "#e2e6ea"
WIDTH, HEIGHT = 820, 460
LETTER = 7.2  # pixels of a letter of 12 pixels, at most on average
LONGEST = 34  # letters of a title
FLOPS = "training compute per seed, pretraining included"
BEST = "best possible"


def write(out: Path, comparison: Comparison, evaluated: Mapping[str, Evaluation], trained: Mapping[str, Trained],
          ) -> None:
    """Fill the folder `out` with `result`, `compute`, `learning` and, where it was measured, `subsets`, each as .svg.

    evaluated, trained: by strategy; the latter its `training.json`.
    """
    for name, picture in (("result", result(comparison)), ("compute", compute(comparison)),
                          ("learning", learning(comparison, trained)), ("subsets", subsets(comparison, evaluated))):
        if picture:
            (out / f"{name}.svg").write_text(picture, encoding="utf-8")


def result(comparison: Comparison) -> str:
    """Forest plot in the metric that ranks: a strategy per line with its mean, its interval and its seeds; the answer
    that knows nothing; the ceiling where it is known.
    """
    found, order, looks, metric = comparison.strategies, comparison.order, _looks(comparison), comparison.ranks
    world = comparison.dataset.world if metric.key == "accuracy" else None
    lines = [(comparison.constant.metrics[metric.key], "knows nothing")]
    lines += [(world.bayes["all"], BEST)] if world else []
    titles = _titles(comparison)
    left, bottom = _gutter(titles.values()), 58 + 46 * len(order)
    spans = {name: found[name].metrics[metric.key] for name in order}
    seen = [seed[metric.key] for name in order for seed in found[name].seeds.values()]
    seen += [end for span in spans.values() for end in (span.low, span.high)]
    x = around([*seen, *(at for at, _ in lines)], left, WIDTH - 20, most=metric.highest)
    seeds = comparison.settings.seeds
    parts = [_title(f"Test {metric.words}: mean, {_interval(comparison)}, and each of {seeds} seeds"),
             *_below(x, bottom, 52, f"test {metric.words}", x.ticks(7), _text_of(metric))]
    for at, words in lines:
        side, shift = ("end", -4) if x(at) > (x.start + x.end) / 2 else ("start", 4)
        parts += [_stroke(f"M{x(at):.1f} 52V{bottom}", QUIET, stroke_dasharray="4 3"),
                  _text(words, x(at) + shift, 48, side, fill=QUIET)]
    for row, name in enumerate(order):
        colour, at = looks[name][0], 75 + 46 * row
        span = spans[name]
        parts += [_text(titles[name], left - 12, at + 4, "end", font_weight=_weight(comparison, name)),
                  _stroke(f"M{x(span.low):.1f} {at}H{x(span.high):.1f}", colour, 2.6),
                  _marker(looks[name], x(span.mean), at)]
        parts += [tag("circle", cx=x(seed[metric.key]), cy=at + 13, r=2.4, fill=colour, fill_opacity=0.6)
                  for seed in found[name].seeds.values()]
    return drawing(WIDTH, bottom + 52, parts)


def compute(comparison: Comparison) -> str:
    """The metric that ranks against the training compute that it took; equal costs stand side by side."""
    found, order, looks, metric = comparison.strategies, comparison.order, _looks(comparison), comparison.ranks
    flops, spans = [found[name].flops for name in order], {name: found[name].metrics[metric.key] for name in order}
    right = WIDTH - _gutter(_titles(comparison).values()) - 30
    x = around(flops, 64, right, zero=True, room=0.2)
    if max(flops) > 10 * min(flops) > 0:
        x = Scale(min(flops) / 1.3, max(flops) * 1.3, 64, right, log=True)
    y = around([end for span in spans.values() for end in (span.low, span.high)], HEIGHT - 52, 52,
               most=metric.highest)
    parts = [_title(f"What the {metric.words} costs (equal costs stand side by side)"),
             *_frame(x, y, f"test {metric.words}, {_interval(comparison)}", _text_of(metric))]
    places = spread([x(value) for value in flops], 13, x.start + 8, x.end - 8)
    ends = []
    for name, at in zip(order, places, strict=True):
        span = spans[name]
        parts += [_stroke(f"M{at:.1f} {y(span.low):.1f}V{y(span.high):.1f}", looks[name][0], 2.2),
                  _marker(looks[name], at, y(span.mean))]
        ends.append((name, at, y(span.mean)))
    return drawing(WIDTH, HEIGHT, [*parts, *_names(comparison, ends, x.end + 12)])


def learning(comparison: Comparison, trained: Mapping[str, Trained]) -> str:
    """Validation NLL while compute is spent: a thin line per seed, a thick one for their mean."""
    order, looks = comparison.order, _looks(comparison)
    lines = {name: [np.array([[step.flops, step.val_nll] for step in
                              history(seed, comparison.dataset.streams)], float)
                    for seed in trained[name].seeds] for name in order}
    alone = {name for name in order if min(map(len, lines[name])) == 1}  # no training of its own
    means = {name: np.mean([line[-1:] for line in lines[name]], axis=0) if name in alone else _mean(lines[name])
             for name in order}
    low = min(mean[-1, 1] for mean in means.values())
    high = max(mean[len(mean) // 8, 1] for mean in means.values())  # what comes before may leave the picture
    y = Scale(max(0.0, low - 0.2 * (high - low)), high + 0.2 * (high - low) + 0.01, HEIGHT - 52, 52)
    x = Scale(0, 1.03 * max(mean[-1, 0] for mean in means.values()) or 1.0, 64,
              WIDTH - _gutter(_titles(comparison).values()) - 30)
    drawn, ends = [], []
    for name in order:
        colour = looks[name][0]
        if name not in alone:
            drawn += [_stroke(_path(line, x, y), colour, 0.8, stroke_opacity=0.35) for line in lines[name]]
            drawn.append(_stroke(_path(means[name], x, y), colour, 2.2))
        at = x(means[name][-1, 0]), y(means[name][-1, 1])
        drawn.append(_marker(looks[name], *at))
        ends.append((name, *at))
    room = tag("rect", x=x.start, y=y.end, width=WIDTH - x.start, height=y.start - y.end)
    return drawing(WIDTH, HEIGHT, [
        _title("Learning curves: thin lines are seeds, a lone marker combines components without training"),
        *_frame(x, y, "validation NLL (nats); the lowest is kept", lambda value: f"{value:.3g}"),
        tag("clipPath", room, id="inside"), tag("g", drawn, clip_path="url(#inside)"),
        *_names(comparison, ends, x.end + 12)])


def subsets(comparison: Comparison, evaluated: Mapping[str, Evaluation]) -> str:
    """The score when only some streams are there, strategies x subsets; empty where that was not measured, as it is not
    where a model reads none of the streams."""
    titles, order, wide, high = _titles(comparison), comparison.order, 92, 38
    place = {s: k for k, s in enumerate(comparison.dataset.streams)}
    known = {name: [seed.subsets for seed in evaluated[name].seeds] for name in order}
    seen = {name: reads.read(evaluated[name]) for name in order}
    columns = sorted({subset for seeds in known.values() for seed in seeds for subset in seed},
                     key=lambda subset: (subset.count("+"), [place[s] for s in subset.split("+")]))
    if not columns:
        return ""
    left = _gutter(titles.values())
    values = np.array([[np.mean([seed[subset].score for seed in known[name]])
                        if all(subset in seed for seed in known[name]) and reads.some(subset, seen[name]) else np.nan
                        for subset in columns]
                       for name in order])
    bottom = 40 + high * len(order)
    score = comparison.score
    parts = [_title(f"When streams are missing: test {score.words}{' (%)' if score.scale == 100 else ''}")]
    for row, name in enumerate(order):
        parts.append(_text(titles[name], left - 12, 44 + high * (row + 0.5), "end",
                           font_weight=_weight(comparison, name)))
    low, most = float(np.nanmin(values)), float(np.nanmax(values))
    for row, column in np.argwhere(~np.isnan(values)):
        x, y, share = left + wide * column, 40 + high * row, float((values[row, column] - low) / max(most - low, 0.01))
        colour = "#" + bytes(round(255 + share * (end - 255)) for end in bytes.fromhex(COLOURS[0][1:])).hex()
        parts += [tag("rect", x=float(x), y=float(y), width=wide - 2, height=high - 2, fill=colour),
                  _text(score.number(values[row, column]), x + wide / 2 - 1, y + high / 2 + 3, "middle",
                        fill="white" if share > 0.6 else None)]
    for column, subset in enumerate(columns):
        parts += [_text(("+ " if k else "") + s, left + wide * (column + 0.5) - 1, bottom + 18 + 15 * k, "middle")
                  for k, s in enumerate(subset.split("+"))]
    below = bottom + 18 + 15 * max(len(subset.split("+")) for subset in columns) + 8
    parts.append(_text("streams that the model is shown", left + wide * len(columns) / 2, below, "middle", fill=QUIET))
    return drawing(max(left + wide * len(columns) + 16, 360), below + 16, parts)


def looks(names: Sequence[str], recommended: str | None) -> dict[str, tuple[str, str]]:
    """Colour and marker: the recommended strategy has the first, the others theirs by name, so that runs compare."""
    order = sorted(names, key=lambda name: (name != recommended, name))
    return {name: (COLOURS[k and 1 + (k - 1) % (len(COLOURS) - 1)], SHAPES[k % len(SHAPES)])
            for k, name in enumerate(order)}


def _looks(comparison: Comparison) -> dict[str, tuple[str, str]]:
    return looks(list(comparison.strategies), comparison.verdict.recommended)


def _titles(comparison: Comparison) -> dict[str, str]:
    """Strategy -> what people call it."""
    return {name: short(title, LONGEST) for name, title in comparison.titles.items()}


def _text_of(metric: Metric) -> Callable[[float], str]:
    return _percent if metric.scale == 100 else lambda value: f"{value:.3g}"


def _interval(comparison: Comparison) -> str:
    return f"{100 * comparison.settings.confidence:g} % interval"


def _weight(comparison: Comparison, name: str) -> str | None:
    return "bold" if name == comparison.verdict.recommended else None


def _gutter(names: Iterable[str]) -> float:
    """Pixels that hold the longest of `names`, in bold."""
    return 24 + 1.05 * LETTER * max(map(len, names))


def _percent(value: float) -> str:
    return f"{100 * value:.3g} %"


def _mean(lines: Sequence[np.ndarray]) -> np.ndarray:
    """The mean over seeds of lines `[K, 2]` in the range that all of them cover: `[100, 2]`."""
    x = np.linspace(max(line[0, 0] for line in lines), min(line[-1, 0] for line in lines), 100)
    return np.stack([x, np.mean([np.interp(x, *line.T) for line in lines], axis=0)], 1)


def _title(words: str) -> Markup:
    return _text(words, 12, 24, font_size=14)


def _text(words: str, x: float, y: float, anchor: str | None = None, **attributes: Any) -> Markup:
    return tag("text", words, x=float(x), y=float(y), text_anchor=anchor, **attributes)


def _stroke(path: str, colour: str, width: float = 1, **attributes: Any) -> Markup:
    return tag("path", d=path, fill="none", stroke=colour, stroke_width=width, stroke_linejoin="round", **attributes)


def _path(line: np.ndarray, x: Scale, y: Scale) -> str:
    """Of `[K, 2]`; not through `y`'s limits, which the picture is cut at."""
    factor = (y.end - y.start) / (y.high - y.low)
    return "M" + "L".join(f"{x(a):.1f} {y.start + factor * (b - y.low):.1f}" for a, b in line.tolist())


def _marker(look: tuple[str, str], x: float, y: float) -> Markup:
    colour, shape = look
    if shape == "circle":
        return tag("circle", cx=float(x), cy=float(y), r=6, fill=colour, stroke="white")
    return tag("path", d=shape, transform=f"translate({x:.1f} {y:.1f}) scale(6)", fill=colour, stroke="white",
               stroke_width="0.17")


def _below(x: Scale, bottom: float, top: float, label: str, ticks: Sequence[float], text: Callable[[float], str],
           ) -> list[Markup]:
    """The horizontal axis: lines up to `top`, numbers, and what they are."""
    parts = [_text(label, (x.start + x.end) / 2, bottom + 40, "middle", fill=QUIET)]
    for tick in ticks:
        parts += [_stroke(f"M{x(tick):.1f} {bottom}V{top}", LINE),
                  _text(text(tick), x(tick), bottom + 18, "middle", fill=QUIET)]
    return parts


def _frame(x: Scale, y: Scale, label: str, text: Callable[[float], str]) -> list[Markup]:
    """Both axes, of FLOPs and of what `label` says."""
    factor, unit = numbers.axis(x.high, "FLOP")
    units = Scale(x.low / factor, x.high / factor, x.start, x.end, x.log)
    parts = _below(units, y.start, y.end, f"{FLOPS} ({unit})", units.ticks(6), lambda value: f"{value:.3g}")
    middle = (y.start + y.end) / 2
    turned = f"translate(17 {middle:g}) rotate(-90)"
    parts.append(tag("text", label, text_anchor="middle", fill=QUIET, transform=turned))
    for tick in y.ticks(6):
        parts += [_stroke(f"M{x.start:g} {y(tick):.1f}H{x.end:g}", LINE),
                  _text(text(tick), x.start - 8, y(tick) + 4, "end", fill=QUIET)]
    return parts


def _names(comparison: Comparison, ends: Sequence[tuple[str, float, float]], left: float) -> list[Markup]:
    """Each point's name to the right of all of them, pushed apart where they would overlap, tied by a thin line."""
    looks, titles, parts = _looks(comparison), _titles(comparison), []
    for (name, x, y), height in zip(ends, spread([y for *_, y in ends], 20, 56, HEIGHT - 56), strict=True):
        parts += [_stroke(f"M{x + 7:.1f} {y:.1f}L{left:.1f} {height:.1f}", looks[name][0], 0.7, stroke_opacity=0.6),
                  _text(titles[name], left + 5, height + 4, font_weight=_weight(comparison, name))]
    return parts
