"""Linear probes on frozen vectors: every stream alone, fused by the mean of what they say or by concatenation,
whichever validation prefers. The twenty lines that everybody should beat, and CLIP's protocol for frozen encoders
(Radford et al. 2021, section 3.2).

Legend: `N` samples, `S` streams, `D` columns, `C` outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trivium.training.logistic import STRENGTHS, fit_blocks

WEAKER = (30.0, 10.0, 3.0, 1.0, 0.3, 0.1)  # of a concatenation's strengths, times each stream's own

if TYPE_CHECKING:
    from torch import Tensor

    from trivium.models.linear import Way
    from trivium.tasks import Task
    from trivium.training.logistic import Matrix

    Matrices = Mapping[str, Matrix]  # stream -> [N, D]
    Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Probe:
    """Scores of one stream: x @ weight.T + bias, columns as they came.

    weight: float32 [C, D].  bias: float32 [C].  iterations: passes over train, over all strengths.  nll: on validation,
    in nats, calibrated.
    """

    weight: np.ndarray
    bias: np.ndarray
    strength: float
    iterations: int
    flops: float
    nll: float


@dataclass(frozen=True)
class Answer:
    """A way to answer as plain arrays, before it is calibrated; what `models.linear.Linear.of` takes.

    weights: float32 [C, D] per stream that is read.  biases: float32 [C].  intercept: float32 [C].  strengths: of each
    probe behind it.
    """

    way: Way
    weights: Arrays
    biases: Arrays
    intercept: np.ndarray
    strengths: tuple[float, ...]


@dataclass(frozen=True)
class Tried:
    """What an answer is worth on all validation rows, calibrated. nll: in nats.  score: the task's.

    task: with what it decides by the answers on validation.
    """

    way: Way
    streams: tuple[str, ...]
    strengths: tuple[float, ...]
    calibration: Tensor
    nll: float
    score: float
    task: Task


@dataclass(frozen=True)
class Fitted:
    """The `answer` that was `chosen`, all that were `tried` and their `answers`, and what all of it cost. nothing:
    outputs that know no input [C].

    additive: the best of those whose scores are one sum over the streams, so that a head can start from it.
    """

    answer: Answer
    additive: Answer
    nothing: np.ndarray
    chosen: Tried
    tried: tuple[Tried, ...]
    answers: tuple[Answer, ...]
    iterations: int
    flops: float


def fit_probe(
    train: Matrix, y: np.ndarray, val: Matrix, y_val: np.ndarray, task: Task,
    strengths: Sequence[float] = STRENGTHS, weight: np.ndarray | None = None,
) -> Probe:
    """train, val: [N, D], the rows that have the stream; standardised here where dense, taken for TF-IDF where sparse.
    Raises: ValueError, as `fit_blocks`.
    """
    every, val_every = np.ones(len(y), bool), np.ones(len(y_val), bool)
    fit = fit_blocks([train], [every], y, [val], [val_every], y_val, task,
                     [(strength,) for strength in sorted(strengths, reverse=True)], weight)
    return Probe(fit.weights[0], fit.biases[0] + fit.intercept, fit.strengths[0], fit.iterations, fit.flops, fit.nll)


def fit(
    train: Matrices, present: Arrays, y: np.ndarray, val: Matrices, val_present: Arrays, y_val: np.ndarray,
    task: Task, strengths: Sequence[float] = STRENGTHS, weight: np.ndarray | None = None,
) -> Fitted:
    """present, val_present: stream -> bool [N]; y, y_val: targets [N, *T] of `task`; weight: of each train row [N].

    A stream that no train row has, or no validation row that can be judged by these, is left out.
    Raises: ValueError (that is every stream).
    """
    usable = {s: val_present[s] & (task.link(y[present[s]]).usable(y_val) if present[s].any() else False)
              for s in train}
    streams = [s for s in train if usable[s].any()]
    if not streams:
        raise ValueError("no stream has both train rows and validation rows of their classes")
    none = np.zeros(task.outputs, np.float32)
    answers, cost, probes = [], [], {}
    for s in streams:
        here, val_here = present[s], val_present[s]
        probe = fit_probe(train[s][here], y[here], val[s][val_here], y_val[val_here], task, strengths,
                          None if weight is None else weight[here])
        cost.append((probe.iterations, probe.flops))
        scores = val[s][usable[s]] @ probe.weight.T + probe.bias
        heat = task.heat(_calibration(task, scores, y_val[usable[s]]))  # those that mean what they say can be averaged
        probes[s] = probe.weight / heat, probe.bias / heat, probe.strength
        answers.append(Answer("mean", {s: probes[s][0]}, {s: probes[s][1]}, none, (probe.strength,)))
    if len(streams) > 1:
        answers.append(Answer("mean", {s: probes[s][0] for s in streams}, {s: probes[s][1] for s in streams}, none,
                              tuple(probes[s][2] for s in streams)))
        some, val_some = (np.any([of[s] for s in streams], 0) for of in (present, val_present))
        joint = fit_blocks([train[s][some] for s in streams], [present[s][some] for s in streams], y[some],
                           [val[s][val_some] for s in streams], [val_present[s][val_some] for s in streams],
                           y_val[val_some], task, [tuple(by * probes[s][2] for s in streams) for by in WEAKER],
                           None if weight is None else weight[some])
        cost.append((joint.iterations, joint.flops))
        answers.append(Answer("concatenation", dict(zip(streams, joint.weights, strict=True)),
                              dict(zip(streams, joint.biases, strict=True)), joint.intercept, joint.strengths))
    nothing = task.nothing(y)
    tried = [_judge(answer, task, nothing, val, val_present, y_val) for answer in answers]
    best = min(range(len(tried)), key=lambda k: tried[k].nll)  # of equals the first, which is the simplest
    sums = [k for k, one in enumerate(tried) if one.way == "concatenation" or len(one.streams) == 1]
    additive = min(sums, key=lambda k: tried[k].nll)
    return Fitted(answers[best], answers[additive], nothing, tried[best], tuple(tried), tuple(answers),
                  sum(n for n, _ in cost), sum(f for _, f in cost))


def _judge(answer: Answer, task: Task, nothing: np.ndarray, val: Matrices, val_present: Arrays, y_val: np.ndarray,
           ) -> Tried:
    """Calibrated on the rows that have a stream of it and can be judged."""
    import torch

    streams = tuple(answer.weights)
    scores = np.stack([val[s] @ answer.weights[s].T + answer.biases[s] for s in streams], 1).astype(np.float32)
    here = np.stack([val_present[s] for s in streams], 1)
    parts = torch.from_numpy(scores), torch.from_numpy(here), answer.way
    fixed = torch.from_numpy(answer.intercept), torch.from_numpy(nothing)
    usable = here.any(1) & task.judgeable(nothing, y_val)
    calibration = _calibration(task, task.total(*parts, *fixed).numpy()[usable], y_val[usable])
    answers, y = task.combined(*parts, *fixed, calibration), torch.from_numpy(y_val)
    decided = task.decided(answers, y)
    return Tried(answer.way, streams, answer.strengths, calibration,
                 nll=-decided.log_likelihood(answers, y).mean().item(), score=decided.score(answers, y), task=decided)


def _calibration(task: Task, outputs: np.ndarray, y: np.ndarray) -> Tensor:
    import torch
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return task.calibration(torch.from_numpy(np.asarray(outputs)), torch.from_numpy(y))
