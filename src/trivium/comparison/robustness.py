"""Robustness of all strategies side by side; each is measured in `trivium.evaluation.robustness`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from trivium.comparison.intervals import Span, seen
from trivium.data.out import Part
from trivium.evaluation import metrics
from trivium.tasks.metric import Metric

LITTLE = 0.02  # of the score: less is not worth a sentence


class At(Part):
    """level: of a disturbance;  score: with the worst and the best seed."""

    level: float
    score: Span


class Robust(Part):
    """relative: see `evaluation.robustness`;  effective: see there, None without late fusion to hold it against."""

    relative: float
    effective: float | None = None


Curves = dict[str, dict[str, list[At]]]  # of what is disturbed -> strategy -> a point per level


class Robustness(Part):
    """corruption, misalignment, shift: curves by stream;  attacks: by "FGSM on STREAM";  summary: strategy -> stream;
    reference: the strategy that effective robustness is relative to.
    """

    corruption: Curves
    misalignment: Curves
    shift: Curves
    attacks: Curves
    summary: dict[str, dict[str, Robust]]
    reference: str | None = None
    sentence: str


def summary(measured: Mapping[str, Sequence[metrics.Robustness]], reference: str | None, chosen: str | None,
            titles: Mapping[str, str], score: Metric) -> Robustness:
    """Of several strategies, {strategy: [the analyses of one seed]}; `reference`: the one that effective robustness is
    relative to (late fusion trained end to end); `chosen`: the one that the sentence is about, which is recommended;
    titles: strategy -> what people call it; score: how the task says its score.
    """
    curves: dict[str, Curves] = {"corruption": {}, "misalignment": {}, "shift": {}, "attacks": {}}
    robust: dict[str, dict[str, Robust]] = {name: {} for name in measured}
    reference = reference if reference in measured else None
    for name, seeds in measured.items():
        for m in _everywhere([seed.corruption for seed in seeds]):
            noisy = [seed.corruption[m] for seed in seeds]
            scores = [one.score for one in noisy]
            curves["corruption"].setdefault(m, {})[name] = _curve(noisy[0].levels, scores)
            known = reference is not None and m in _everywhere([seed.corruption for seed in measured[reference]])
            late = [seed.corruption[m].score for seed in measured[reference or ""]] if known else []
            gaps = [effective(f, r) for f, r in zip(scores, late, strict=True)] if late else []
            robust[name][m] = Robust(relative=float(np.mean([one.relative for one in noisy])),
                                     effective=float(np.mean(gaps)) if gaps else None)
        for kind, each in (("misalignment", [seed.misalignment for seed in seeds]),
                           ("shift", [seed.shift for seed in seeds])):
            for m in _everywhere(each):
                curves[kind].setdefault(m, {})[name] = _levels([one[m] for one in each])
        for m in _everywhere([seed.attacks for seed in seeds]):
            for how, levels in (("FGSM", [seed.attacks[m].fgsm for seed in seeds]),
                                ("PGD", [seed.attacks[m].pgd for seed in seeds])):
                curves["attacks"].setdefault(f"{how} on {m}", {})[name] = _levels(levels)
    return Robustness(**curves, summary=robust, reference=reference,
                      sentence=_sentence(chosen, robust, curves["corruption"], titles, score))


def _everywhere(seeds: Sequence[Collection[str]]) -> list[str]:
    """Streams that an analysis could afford at every seed: a mean over some of them would be of other models."""
    return [m for m in seeds[0] if all(m in seed for seed in seeds)]


def effective(scores: Sequence[float], reference: Sequence[float]) -> float:
    """Effective robustness: sum over levels of f(s) - [r(s) + f(0) - r(0)], r being late fusion's curve (MultiBench).

    Above 0: the score falls less than that of the reference, whatever it is without noise.
    """
    f, r = np.asarray(scores), np.asarray(reference)
    return float((f - (r + f[0] - r[0])).sum())


def _sentence(chosen: str | None, robust: Mapping[str, Mapping[str, Robust]], corruption: Curves,
              titles: Mapping[str, str], score: Metric) -> str:
    """Empty where nothing is recommended, or where its noise was too dear to measure."""
    curves = {m: of[chosen] for m, of in corruption.items() if chosen in of}
    if chosen is None or not curves:
        return ""
    lost = {m: curve[0].score.mean - curve[-1].score.mean for m, curve in curves.items()}
    worst, title = max(lost, key=lambda m: lost[m]), f"“{titles[chosen]}”"
    if lost[worst] < LITTLE:
        return f"Noise on a single stream costs {title} next to nothing."
    known = sorted((name for name in robust if worst in robust[name]), key=lambda name: name != chosen)
    best = max(known, key=lambda name: robust[name][worst].relative)
    said = (f"Noise on {worst} costs {title} most: {score.number(lost[worst], more=-1)} {score.unit} when nothing but "
            "noise is left")
    better, most = ("is more accurate", "is the most accurate") if score.words == "accuracy" else (
        "does better", "does best")
    who = f"no strategy {better}" if best == chosen else f"“{titles[best]}” {most}"
    return said + (f"; on average over all strengths of noise {who}." if len(known) > 1 else ".")


def _levels(seeds: Sequence[Mapping[str, float]]) -> list[At]:
    return _curve([float(level) for level in seeds[0]], [list(seed.values()) for seed in seeds])


def _curve(levels: Sequence[float], seeds: Sequence[Sequence[float]]) -> list[At]:
    return [At(level=level, score=seen(at)) for level, at in zip(levels, zip(*seeds, strict=True), strict=True)]
