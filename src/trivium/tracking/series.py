"""Numbers of a run as MLflow wants them: (name, value, step, milliseconds since 1970).

Names and steps are the same for all strategies, so that charts line up. The step of everything that is measured while
training is the share of the compute budget that was spent by then, in whole percent, pretraining included: at step 60
every strategy has spent 60 % of the same FLOPs, whatever its phases and epochs are. Final results have step 0, which
makes MLflow draw them as bars.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from statistics import fmean
from typing import Any

from trivium.comparison.budgets import Curves
from trivium.comparison.out import Strategy
from trivium.evaluation import metrics
from trivium.machine.measured import Latency, Sampled
from trivium.tracking.outs import Outcome, Took
from trivium.training.records import Seed

Point = tuple[str, float, int, int]
CURVES = {"train/loss": "train_loss", "val/nll": "val_nll", "val/score": "val_score"}
TRAINING = ("seconds", "joules", "peak_memory_bytes", "peak_gpu_memory_bytes")  # what it took, and answers do
ANSWERING = ("latency_p50_seconds", "latency_p95_seconds", "samples_per_second")
REFUSED = re.compile(r"[^\w.\- :/]")  # signs that MLflow does not take in a name
LONGEST = 250  # signs of a name
METRICS, PARAMS, TAGS = 800, 100, 100  # that MLflow takes in one call, where all three are in it
DIGITS = 6  # significant ones: a table of 0.679999999 is hard to read, and the outs keep them all


def curves(seed: Seed) -> dict[str, dict[int, float]]:
    """Metric -> {step: value}.

    A strategy without training of its own (unimodal, ensemble) has the one point where it ends.
    """
    budget = seed.flops.budget
    found: dict[str, dict[int, float]] = {name: {} for name in CURVES}
    for entry in seed.history:
        for name, key in CURVES.items():
            if (value := getattr(entry, key)) is not None:
                found[name][round(100 * entry.flops / budget)] = value
    if not seed.history:
        end = round(100 * seed.flops.total / budget)
        found["val/nll"][end], found["val/score"][end] = seed.validation.nll, seed.validation.score
    return found


def mean_curves(seeds: Iterable[Seed]) -> dict[str, dict[int, float]]:
    """The mean over seeds at every step that all of them reached, interpolated between their measurements."""
    import numpy as np

    every = [curves(seed) for seed in seeds]
    found: dict[str, dict[int, float]] = {}
    for name in CURVES:
        lines = [sorted(one[name].items()) for one in every if one[name]]
        if not lines:
            continue
        first, last = max(line[0][0] for line in lines), min(line[-1][0] for line in lines)
        steps = sorted({step for line in lines for step, _ in line if first <= step <= last})
        values = np.mean([np.interp(steps, [s for s, _ in line], [v for _, v in line]) for line in lines], axis=0)
        found[name] = dict(zip(steps, values.tolist(), strict=True))
    return found


def seed_results(training: Seed, tested: metrics.Seed) -> dict[str, float]:
    """Final numbers of one seed: `test/*`, `subset_score/*`, `cost/*`, ..."""
    found = {f"test/{key}": value for key, value in tested.metrics.items()}
    for subset, shown in tested.subsets.items():
        name = subset.replace("+", "-")
        found |= {f"subset_score/{name}": shown.score, f"subset_nll/{name}": shown.nll}
    found |= {"cost/train_flops": training.flops.total, "cost/pretrain_flops": training.flops.pretrain,
              "cost/parameters": training.parameters.total, "cost/trained_parameters": training.parameters.trained}
    if isinstance(training.calibration, float):
        found["calibration"] = training.calibration
    found |= {f"contribution/{m}": value for m, value in tested.contribution.score.items()}
    swapped = tested.counterfactual.streams
    found |= {f"follows/{m}": one.follows for m, one in swapped.items() if one.follows is not None}
    found |= {f"moved/{m}": one.moved for m, one in swapped.items()}
    for m, one in tested.attribution.deletion.items():
        found[f"deletion/{m}"] = one.random - one.area
        found |= {f"deletion_rollout/{m}": one.random - one.rollout} if one.rollout is not None else {}
    found |= {f"probe/{m}": probe.after for m, probe in tested.probes.items()}
    found |= {f"corrupted_score/{m}": one.relative for m, one in tested.robustness.corruption.items()}
    if tested.domain and tested.domain.held_out:
        found |= {f"held_out/{key}": value for key, value in tested.domain.held_out.metrics.items()}
    return {name: float(value) for name, value in found.items() if _number(value)}


def strategy_results(outcome: Outcome, entry: Strategy | None, measured: Took) -> dict[str, float]:
    """Final numbers of a strategy: means over its seeds, and what the comparison says (`entry`): intervals, rank."""
    trained = {seed.seed: seed for seed in outcome.training.seeds}
    seeds = [seed_results(trained[seed.seed], seed) for seed in outcome.metrics.seeds]
    found = {name: fmean(seed[name] for seed in seeds) for name in seeds[0] if all(name in seed for seed in seeds)}
    if entry is not None:
        for key, value in {**entry.metrics, "gain": entry.gain}.items():
            found |= {f"test/{key}": value.mean, f"test/{key}_low": value.low, f"test/{key}_high": value.high}
        found |= {"rank": float(entry.rank), "failed_share": entry.failed_share}
        found |= {"cost/tuning_flops": entry.tuning} if entry.tuning is not None else {}
        found |= {"test/to_ceiling": entry.to_ceiling} if entry.to_ceiling is not None else {}
    took = measured.training.model_dump(include=set(TRAINING))
    if measured.inference:
        took |= measured.inference.model_dump(include=set(ANSWERING))
    found |= {f"latency/{key}": value for key, value in answered(measured.latency).items()}
    return found | {f"cost/{key}": float(value) for key, value in took.items() if _number(value)}


def answered(latency: Latency | None) -> dict[str, float]:
    """Of the exported model; empty where that is not known."""
    if latency is None:
        return {}
    found = {"start_seconds": latency.start_seconds, "peak_memory_bytes": float(latency.peak_memory_bytes)}
    for kind, times in (("", latency.times), ("int8_", latency.small)):
        for one in times:
            name = f"{kind}rows_{one.rows}_threads_{one.threads}"
            found |= {f"{name}_{key}": value for key in ("p50_ms", "p95_ms", "p99_ms")
                      if (value := getattr(one, key)) is not None}
    return found


def by_share(curves: Curves | None, strategy: str, metric: str) -> dict[str, dict[int, float]]:
    """Name -> {percent of the present compute or labels: value} of a strategy, with its interval's ends.

    curves: None where there are none.  metric: the key of the one that ranks.
    """
    found: dict[str, dict[int, float]] = {}
    for kind, line in curves.lines.items() if curves else ():
        for end, key in (("", "mean"), ("_low", "low"), ("_high", "high")):
            found[f"budget/{metric}_by_{kind}{end}"] = {
                round(100 * point.share): getattr(point.strategies[strategy].value, key)
                for point in line.points if strategy in point.strategies}
    return found


def points(results: Mapping[str, float], lines: Mapping[str, Mapping[int, float]], now: int) -> list[Point]:
    """All of a run, `now` being its time in milliseconds."""
    found = [(allowed(name), _round(value), 0, now) for name, value in results.items()]
    return found + [(allowed(name), _round(value), step, now) for name, line in lines.items()
                    for step, value in line.items()]


def batches(metrics: Sequence[Any], params: Sequence[Any], tags: Sequence[Any],
            ) -> list[tuple[list[Any], list[Any], list[Any]]]:
    """In calls that MLflow takes. Tags go last: some say that all is written."""
    points, known, marks = ([list(some[k:k + size]) for k in range(0, len(some), size)]
                            for some, size in ((metrics, METRICS), (params, PARAMS), (tags, TAGS)))
    before: list[list[Any]] = [[]] * (max(len(points), len(known)) - len(marks))
    return list(zip_longest(points, known, before + marks, fillvalue=[]))


def allowed(name: str) -> str:
    """`name` as MLflow takes it for a metric, a parameter or a tag: `text+audio` is `text-audio`. Others stay.

    MLflow may keep names as files, so that one that is no plain path below a folder is refused, too.
    """
    name = REFUSED.sub("_", name.replace("+", "-"))[:LONGEST]  # `_` may be in the name of a stream
    if posixpath.normpath(name) != name or name.startswith((".", "/")):
        name = f"_{name.replace('/', '_')}"[:LONGEST]
    return name


def system(sampled: Sampled | None) -> list[Point]:
    """`system/*` at the times when it was sampled; the step counts seconds, as MLflow's own charts do."""
    if sampled is None:
        return []
    return [(f"system/{name}", float(value), round(second), round(1000 * (sampled.started + second)))
            for name, values in sampled.series.items()
            for second, value in zip(sampled.seconds, values, strict=True)]


def _round(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
