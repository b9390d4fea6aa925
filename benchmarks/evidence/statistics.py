"""Whether the statistics keep their promises, on planted models with known truth. Under 3 minutes on one core.

    A/A        equal strategies: how often is a difference declared?                          at most 5 %
    power      3 points of accuracy, 2,000 test samples, 5 seeds: how often is it found?       at least 80 %
    coverage   how often does a 95 % interval of a difference hold the long-run difference?    92-98 %

The functions under test are those that the verdict uses. Every share comes with its exact (Clopper-Pearson) 95 %
interval. Run alone: `python -m benchmarks.evidence.statistics`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.evidence.planted import MEASURED, TASK, World, accuracy, draw, effect_for
from trivium.comparison.intervals import estimate
from trivium.comparison.pairs import Pair, Rules, compare, measure
from trivium.machine.progress import Progress

RULES = Rules(resamples=1000)
SEED_SD = (0.0, 0.05, 0.1, 0.3)  # logits; an accuracy of 80 % moves by 0, 0.6, 1.2 and 3.5 points
SAME = World(tests=300, taste_sd=0.0)
BETTER, WORSE, FAR = 0.83, 0.80, 0.70  # accuracies


def run() -> dict[str, Any]:
    """All checks: what `benchmarks/results/evidence.json` says under `aa`, `power`, `coverage` and `groups`."""
    return {"aa": aa(), "power": power(), "coverage": coverage(), "groups": groups()}


def aa(repetitions: int = 100, names: int = 100, rules: Rules = RULES) -> dict[str, Any]:
    """One strategy under two names, with every spread of seeds, on fixed and on redrawn test sets.

    repetitions: per setting (8 settings). names: of two harder cases with six names: all equal, where any declared
    difference is false; and two equal ones far above four others, where any winner is false.
    """
    settings = [replace(SAME, seed_sd=sd, pool=pool) for sd in SEED_SD for pool in (None, 900)]
    total = repetitions * len(settings) + 2 * names
    with Progress("A/A", total, "comparison") as progress:
        found = [any(pair.beats for pair in pairs)
                 for k, world in enumerate(settings) for pairs in _runs(world, repetitions, [1, k], rules, progress)]
        equal = [any(pair.beats for pair in pairs)
                 for pairs in _runs(replace(SAME, effects=(1.5,) * 6, pool=900), names, [2], rules, progress)]
        tied = World(tests=300, pool=900, effects=(1.9, 1.9, 0.5, 0.5, 0.0, 0.0))
        winner = [len({pair.b for pair in pairs if pair.beats}) == 5
                  for pairs in _runs(tied, names, [3], rules, progress)]
    return {
        "false_winner_share": float(np.mean(found)), "interval": _interval(found), "comparisons": len(found),
        "six_equal": share(equal, "share"), "two_tied_above_four": share(winner, "share"),
    }


def power(repetitions: int = 120, rules: Rules = RULES) -> dict[str, Any]:
    """`BETTER` against `WORSE` with 5 seeds and 2,000 test samples of 6,000.

    The share is that of seeds whose accuracy varies by 0.6 points (sd); `by_spread` shows the others, and fixed test
    sets.
    """
    found: dict[tuple[float, bool], list[bool]] = {}
    with Progress("power", repetitions * 2 * len(SEED_SD), "comparison") as progress:
        for k, sd in enumerate(SEED_SD):
            for fixed in (False, True):
                world = World(tests=2000, pool=None if fixed else 6000, seed_sd=sd)
                world = replace(world, effects=(effect_for(world, BETTER), effect_for(world, WORSE)))
                found[sd, fixed] = [pairs[0].a == "s0" and pairs[0].beats
                                    for pairs in _runs(world, repetitions, [4, k, fixed], rules, progress)]
    headline = found[SEED_SD[1], False]
    return share(headline, "share_found") | {
        "difference": BETTER - WORSE, "tests": 2000, "seeds": 5,
        "by_spread": [{"seed_sd": sd, "test_set": "fixed" if fixed else "redrawn"} | share(each, "share_found")
                      for (sd, fixed), each in found.items()],
    }


def coverage(repetitions: int = 300, rules: Rules = RULES) -> dict[str, Any]:
    """Intervals of a difference of 2.6 points; `repetitions` per setting. The share is that of all with 5 seeds.

    `percentile` is what the plain percentile interval of the hierarchical bootstrap covers on the same data.
    """
    worlds = [World((1.7, 1.5), seeds, 400, pool, seed_sd=sd)
              for seeds in (5, 3, 10) for sd in (0.0, 0.1, 0.3) for pool in (None, 1000)]
    # Cross-validation: folds share training data, and with it the variance that Nadeau and Bengio assume.
    total = 0.3**2
    folds = World((1.7, 1.5), 5, 400, 2000, folds=True, seed_sd=np.sqrt(0.8 * total), common_sd=np.sqrt(0.2 * total))
    found = []
    with Progress("coverage", repetitions * (len(worlds) + 1), "interval") as progress:
        for k, world in enumerate([*worlds, folds]):
            own = replace(rules, overlap=1 / (world.seeds - 1)) if world.folds else rules
            found.append(_covered(world, repetitions, [5, k], own, progress))
    hits = [hit for world, (each, _) in zip(worlds, found, strict=False) if world.seeds == 5 for hit in each]
    return share(hits, "share") | {"by_setting": [
        {"seeds": world.seeds, "seed_sd": round(float(world.seed_sd), 3), "test_set": _kind(world),
         "percentile": float(np.mean(plain))} | share(each, "share")
        for world, (each, plain) in zip([*worlds, folds], found, strict=True)]}


def groups(repetitions: int = 300, rules: Rules = RULES) -> list[dict[str, Any]]:
    """Coverage where test sets are groups of 50 samples, on which strategies do well or not.

    `as_samples` is what intervals cover that take samples for independent.
    """
    worlds = [World((1.7, 1.5), 5, 50 * count, pool and 150 * count, group=50, voice_sd=sd)
              for pool in (True, None) for count in (7, 20) for sd in (0.0, 0.2, 0.4)]
    found = []
    with Progress("groups", repetitions * len(worlds), "interval") as progress:
        for k, world in enumerate(worlds):
            truth = accuracy(world, world.effects[0]) - accuracy(world, world.effects[1])
            hits: dict[bool, list[bool]] = {True: [], False: []}
            for repetition in range(repetitions):
                outcomes, units = draw(world, np.random.default_rng([6, k, repetition]))
                apart = [own * world.group + np.arange(len(own)) % world.group for own in units]
                for grouped, own in ((True, units), (False, apart)):
                    results = measure(TASK, outcomes, own, rules, MEASURED)
                    values, resampled = results.points["accuracy"], results.replicates["accuracy"]
                    one = estimate(values[0] - values[1], resampled[:, 0] - resampled[:, 1], rules.confidence)
                    hits[grouped].append(one.low <= truth <= one.high)
                progress.add()
            found.append({"groups": world.tests // world.group, "voice_sd": world.voice_sd, "test_set": _kind(world),
                          "as_samples": float(np.mean(hits[False]))} | share(hits[True], "share"))
    return found


def _runs(world: World, repetitions: int, seed: list[int], rules: Rules, progress: Progress) -> Iterable[list[Pair]]:
    for repetition in range(repetitions):
        outcomes, rows = draw(world, np.random.default_rng([*seed, repetition]))
        yield compare(outcomes, measure(TASK, outcomes, rows, rules, MEASURED), rules)
        progress.add()


def _covered(world: World, repetitions: int, seed: list[int], rules: Rules, progress: Progress,
             ) -> tuple[list[bool], list[bool]]:
    truth = accuracy(world, world.effects[0]) - accuracy(world, world.effects[1])
    hits, plain = [], []
    for repetition in range(repetitions):
        rng = np.random.default_rng([*seed, repetition])
        outcomes, rows = draw(world, rng)
        results = measure(TASK, outcomes, rows, rules, MEASURED)
        values, resampled = results.points["accuracy"], results.replicates["accuracy"]
        moved = resampled[:, 0] - resampled[:, 1]
        found = estimate(values[0] - values[1], moved, rules.confidence, rules.overlap)
        hits.append(found.low <= truth <= found.high)
        drawn = rng.integers(world.seeds, size=moved.shape)
        low, high = np.quantile(np.take_along_axis(moved, drawn, 1).mean(1), [0.025, 0.975])
        plain.append(bool(low <= truth <= high))
        progress.add()
    return hits, plain


def _kind(world: World) -> str:
    return "folds" if world.folds else "fixed" if world.pool is None else "redrawn"


def share(hits: list[bool], name: str) -> dict[str, Any]:
    return {name: float(np.mean(hits)), "interval": _interval(hits), "repetitions": len(hits)}


def _interval(hits: list[bool]) -> list[float]:
    from scipy.stats import binomtest

    found = binomtest(int(sum(hits)), len(hits)).proportion_ci(method="exact")
    return [float(found.low), float(found.high)]


if __name__ == "__main__":
    import json

    print(json.dumps(run(), indent=1))
