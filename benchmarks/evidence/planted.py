"""Models whose long-run accuracy is known, because they are not models: coins with planted biases.

Strategy s, trained with seed j, gets sample i right with probability

    sigmoid(effect_s + common_s + seed_sj + difficulty_i + taste_si + voice_sg)

where all but the effect are drawn from normal distributions around 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trivium.tasks.classification import Classification
from trivium.tasks.scores import Outcome

TASK = Classification(["right", "wrong"])
MEASURED = ("accuracy",)


@dataclass(frozen=True)
class World:
    """What a planted comparison is drawn from. Standard deviations (sd) are in logits.

    tests: test samples per seed. pool: the samples that a test set is redrawn from for every seed; None: all seeds
    share one test set. folds: test sets are the disjoint folds of the pool.
    difficulty: of a sample, for everybody. taste: of a sample, for one strategy. common: of a strategy, for all seeds
    (what seeds share because their training sets overlap). voice: of a group of `group` samples, for one strategy; test
    sets are made of whole groups.
    """

    effects: tuple[float, ...] = (1.5, 1.5)
    seeds: int = 5
    tests: int = 500
    pool: int | None = None
    folds: bool = False
    seed_sd: float = 0.1
    difficulty_sd: float = 1.5
    taste_sd: float = 0.7
    common_sd: float = 0.0
    group: int = 1
    voice_sd: float = 0.0


def draw(world: World, rng: np.random.Generator) -> tuple[dict[str, list[Outcome]], list[NDArray[np.int64]]]:
    """One run of all strategies, named s0, s1, …: outcomes per strategy and seed, units per seed."""
    population = world.pool or world.tests
    difficulty = rng.normal(0, world.difficulty_sd, population)
    taste = rng.normal(0, world.taste_sd, (len(world.effects), population))
    if world.group > 1:
        voices = rng.normal(0, world.voice_sd, (len(world.effects), population // world.group))
        taste += voices.repeat(world.group, axis=1)
    level = np.asarray(world.effects) + rng.normal(0, world.common_sd, len(world.effects))
    outcomes: dict[str, list[Outcome]] = {f"s{s}": [] for s in range(len(level))}
    rows = _test_sets(world, population, rng)
    for own in rows:
        for s in range(len(level)):
            logit = level[s] + rng.normal(0, world.seed_sd) + difficulty[own] + taste[s, own]
            outcomes[f"s{s}"].append(_outcome(rng.random(world.tests) < _sigmoid(logit)))
    compact = np.unique(np.concatenate(rows) // world.group, return_inverse=True)[1]
    return outcomes, list(compact.reshape(world.seeds, world.tests))


def accuracy(world: World, effect: float) -> float:
    """Long-run accuracy of a strategy with this effect: E sigmoid(N(effect, all variances)), by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    spread = np.sqrt(world.seed_sd**2 + world.difficulty_sd**2 + world.taste_sd**2 + world.common_sd**2
                     + world.voice_sd**2)
    return float(_sigmoid(effect + spread * nodes) @ weights / weights.sum())


def effect_for(world: World, target: float) -> float:
    """The effect whose long-run accuracy is `target`, by bisection."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if accuracy(world, middle) < target else (low, middle)
    return (low + high) / 2


def _test_sets(world: World, population: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    if world.folds:
        return [np.sort(fold) for fold in rng.permutation(population).reshape(world.seeds, world.tests)]
    if world.pool is None:
        return [np.arange(population)] * world.seeds
    chosen = [np.sort(rng.choice(population // world.group, world.tests // world.group, replace=False))
              for _ in range(world.seeds)]
    return [(own[:, None] * world.group + np.arange(world.group)).ravel() for own in chosen]


def _outcome(right: NDArray[np.bool_]) -> Outcome:
    """Label 0 throughout: only which predictions are right matters here."""
    nothing = np.zeros(len(right))
    return Outcome(np.zeros(len(right), np.int64), (~right).astype(np.int64), nothing, nothing, nothing, TASK.outputs)


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-x))
