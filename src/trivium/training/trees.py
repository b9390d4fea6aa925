"""Gradient boosting on columns: each stream alone, the sum of these, or one model of all columns together, whichever
validation prefers, and so their learning rate, their leaves and the number of rounds.

scikit-learn's HistGradientBoosting (after LightGBM, Ke et al. 2017), on one thread, so that the sums do not depend on
the machine. The task is asked what is learned and what an answer is worth; see `problems`.

FLOPs: a tree adds up gradient and Hessian of the samples of each node that it splits, once per column (4 FLOPs each, as
if no histogram came from its sibling's), and weighs 255 bins per column and node (10 each); every round computes
gradients and adds the new trees (10 per sample and raw output). All rounds of all that was tried are counted.

Legend: `N` samples, `F` columns, `R` raw outputs, `C` outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from trivium.models.boosting import Trees
    from trivium.tasks import Task

TRIES = ((0.1, 31), (0.05, 8))  # learning rate, and leaves of a tree at most
ROUNDS, STEP, PATIENCE = 400, 10, 5  # at most; between two looks at validation; looks without a better NLL
MOST_TREES = 20_000  # of a model
BINS = 255


@dataclass(frozen=True)
class Problem:
    """What one estimator learns. kind: classes (of codes from 0) or number.  target: [N].  raw: outputs that it has."""

    kind: str
    target: np.ndarray
    raw: int


@dataclass(frozen=True)
class Grown:
    """outputs are trees(columns) @ `spread` [R, C] + `offset` [C].

    chosen: the streams that are read: one, whose columns are counted from 0, or all.  together: whether each tree sees
    all of them.  tried: calibrated NLL on validation, in nats, of each stream alone, of the `sum`, and of all
    `together`.
    """

    trees: Trees
    spread: np.ndarray
    offset: np.ndarray
    chosen: tuple[str, ...]
    together: bool
    tried: dict[str, float]
    flops: float


Tree = tuple[int, int, np.ndarray]  # round, raw output, nodes


@dataclass(frozen=True)
class Model:
    """What one model says: trees on all columns, and their raw outputs on validation, [N, R]."""

    trees: list[Tree]
    baseline: np.ndarray
    raw: Tensor
    nll: float
    flops: float


def problems(task: Task, y: np.ndarray) -> tuple[list[Problem], np.ndarray, np.ndarray]:
    """What is to be learned of the targets `y` of train; and the `spread` and `offset` of `Grown`.

    A target that is no class is a yes or no per tag, or a number per output in the scale in which its heads learn.
    """
    if task.categorical:
        from trivium.tasks.probabilities import NEVER

        seen, code = np.unique(y, return_inverse=True)
        offset = np.full(task.outputs, NEVER)
        offset[seen] = 0.0
        if len(seen) < 2:
            return [], np.zeros((0, task.outputs)), offset
        raw = 1 if len(seen) == 2 else len(seen)
        spread = np.zeros((raw, task.outputs))
        spread[np.arange(raw), seen[-raw:]] = 1.0  # of two, the log-odds of the second
        return [Problem("classes", code, raw)], spread, offset
    if task.categories:
        tagged = y.sum(0)
        varies = np.flatnonzero((tagged > 0) & (tagged < len(y)))
        offset = task.nothing(y).astype(np.float64)
        offset[varies] = 0.0
        return ([Problem("classes", y[:, k].astype(np.int64), 1) for k in varies], np.eye(task.outputs)[varies],
                offset)
    mean, deviation = (np.asarray(getattr(task, name)) for name in ("mean", "deviation"))
    scaled = (np.asarray(y, np.float64).reshape(len(y), -1) - mean) / deviation
    return [Problem("number", column, 1) for column in scaled.T], np.eye(task.outputs), np.zeros(task.outputs)


def grow(train: np.ndarray, y: np.ndarray, val: np.ndarray, y_val: np.ndarray, streams: Mapping[str, range],
         task: Task, seed: int, report: Callable[[int, int], None] = lambda done, every: None,
         weight: np.ndarray | None = None) -> Grown:
    """train, val: float64 [N, F], NaN where missing; y, y_val: targets.  streams: the columns of each.  weight: of each
    train row [N].
    """
    from threadpoolctl import threadpool_limits

    from trivium.models.boosting import Trees

    what, spread, offset = problems(task, y)
    judge = _judge(task, y_val, spread, offset)
    every = dict(streams) | ({"together": range(train.shape[1])} if len(streams) > 1 else {})
    found: dict[str, Model] = {}
    with threadpool_limits(1):
        for k, (name, columns) in enumerate(every.items()):
            tries = [_grown(what, train, val, columns, judge, seed, rate, leaves, weight) for rate, leaves in TRIES]
            best = min(tries, key=lambda one: one.nll)  # of equals the first
            found[name] = replace(best, flops=sum(one.flops for one in tries))
            report(k + 1, len(every))
    flops = sum(one.flops for one in found.values())
    if len(streams) > 1:
        found["sum"] = _sum([found[s] for s in streams], judge)
    name = min(found, key=lambda one: found[one].nll)  # of equals the first, which is the simplest
    trees, baseline, chosen = found[name].trees, found[name].baseline, (name,) if name in streams else tuple(streams)
    first = streams[chosen[0]].start
    made = Trees.of([_placed(nodes, -first) for *_, nodes in trees], [place for _, place, _ in trees], baseline)
    return Grown(made, spread, offset, chosen, name == "together", {one: model.nll for one, model in found.items()},
                 flops)


def _judge(task: Task, y_val: np.ndarray, spread: np.ndarray, offset: np.ndarray) -> Callable[[Tensor], float]:
    """Calibrated NLL of raw outputs on validation, in nats."""
    import torch

    linear, truth = (torch.from_numpy(spread), torch.from_numpy(offset)), torch.from_numpy(y_val)
    return lambda raw: task.calibrated_nll((raw @ linear[0] + linear[1]).float(), truth)


def _sum(models: Sequence[Model], judge: Callable[[Tensor], float]) -> Model:
    """Each adds to what is known without it what its own columns say."""
    import torch

    baseline = models[0].baseline  # of the same targets, so the same for all
    raw = sum((one.raw for one in models), -(len(models) - 1) * torch.from_numpy(baseline))
    return Model([tree for one in models for tree in one.trees], baseline, raw, judge(raw), 0.0)


def _grown(what: Sequence[Problem], train: np.ndarray, val: np.ndarray, columns: range,
           judge: Callable[[Tensor], float], seed: int, rate: float, leaves: int,
           weight: np.ndarray | None = None) -> Model:
    """A model of some of the columns, with the rounds that validation prefers."""
    import torch

    from trivium.models.boosting import Trees

    raws = sum(one.raw for one in what)
    learners = [_learner(one, rate, leaves, seed) for one in what]
    own, unseen = train[:, columns], torch.from_numpy(val)
    baseline, trees, flops = np.zeros(raws), list[Tree](), 0.0
    raw = torch.zeros(len(val), raws, dtype=torch.float64)
    best, waited = (judge(raw) if not what else np.inf, 0, raw), 0
    for end in range(STEP, max(STEP, min(ROUNDS, MOST_TREES // max(1, raws))) + 1, STEP) if what else ():
        new, first = list[Tree](), 0
        for one, learner in zip(what, learners, strict=True):
            learner.set_params(max_iter=end).fit(own, one.target, sample_weight=weight)
            baseline[first: first + one.raw] = np.ravel(learner._baseline_prediction)
            new += [(k, first + place, _placed(tree.nodes, columns.start)) for k, each in enumerate(learner._predictors)
                    if k >= end - STEP for place, tree in enumerate(each)]
            first += one.raw
        trees += sorted(new, key=lambda tree: tree[:2])
        flops += _flops([nodes for *_, nodes in new], own.shape, STEP * raws)
        raw = raw + Trees.of([nodes for *_, nodes in new], [place for _, place, _ in new],
                             baseline if end == STEP else np.zeros(raws))(unseen)
        waited += 1
        if (nll := judge(raw)) < best[0]:
            best, waited = (nll, end, raw), 0
        if waited == PATIENCE:
            break
    return Model([tree for tree in trees if tree[0] < best[1]], baseline, best[2], best[0], flops)


def _placed(nodes: np.ndarray, by: int) -> np.ndarray:
    """Nodes whose columns have moved."""
    moved = nodes.copy()
    moved["feature_idx"] += by * (nodes["is_leaf"] == 0)
    return moved


def _learner(one: Problem, rate: float, leaves: int, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if one.kind == "classes" else HistGradientBoostingRegressor
    return kind(learning_rate=rate, max_leaf_nodes=leaves, max_bins=BINS, warm_start=True, early_stopping=False,
                random_state=seed)


def _flops(trees: list[np.ndarray], shape: tuple[int, ...], rounds: int) -> float:
    """rounds: times raw outputs."""
    samples, columns = shape
    inner = [nodes[nodes["is_leaf"] == 0] for nodes in trees]
    return sum(4.0 * columns * float(nodes["count"].sum()) + 10.0 * BINS * columns * len(nodes) for nodes in inner) + (
        10.0 * samples * rounds)
