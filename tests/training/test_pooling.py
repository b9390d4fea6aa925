"""Greedy weights and a linear model on what several models say: what they learn, and how honest validation stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests import networks
from trivium.models import pools
from trivium.tasks import weighing
from trivium.tasks.multilabel import MultiLabel
from trivium.tasks.regression import Regression
from trivium.training import pooling

TWO = networks.task(2)
HALF = np.log(np.full(2, 0.5, np.float32))


def drawn(samples: int, seed: int = 0) -> tuple[np.random.Generator, Tensor]:
    rng = np.random.default_rng(seed)
    return rng, torch.from_numpy(rng.integers(2, size=samples))


def says(first: list[float]) -> Tensor:
    """[N, 2] log-probabilities: those of the first class are given."""
    p = torch.tensor(first)
    return torch.stack([p, 1 - p], 1).log()


def everywhere(answers: Tensor) -> Tensor:
    return torch.ones(answers.shape[:2], dtype=torch.bool)


def nll(answers: Tensor, y: Tensor) -> float:
    return -TWO.log_likelihood(answers, y).mean().item()


def test_the_greedy_mean_takes_models_that_err_apart_and_leaves_the_useless_one() -> None:
    """Two are sure and wrong on another sample each: together they are never sure and wrong. The third is mirrored."""
    y = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    one, other = [0.9, 0.9, 0.9, 0.2, 0.1, 0.1, 0.1, 0.8], [0.2, 0.9, 0.9, 0.9, 0.8, 0.1, 0.1, 0.1]
    answers = torch.stack([says(one), says(other), says([1 - p for p in one])])
    weights = weighing.greedy(answers, everywhere(answers), y, TWO)
    assert weights.tolist() == [0.5, 0.5, 0.0]
    found = pooling.fit("selection", answers, everywhere(answers), y, HALF, TWO)
    assert TWO.score(found.answers, y) == 1.0 and nll(found.answers, y) < nll(answers[0], y)


def test_a_mean_is_calibrated_before_it_is_judged() -> None:
    """Three that are right in turn are unsure together, though they are always right; alone, each is wrong at times."""
    y = torch.tensor([0, 1] * 6)
    right = torch.where(y == 0, 0.8, 0.2)
    each = [torch.where(torch.arange(12) // 2 % 3 == k, 1 - right, right) for k in range(3)]
    answers = torch.stack([says(one.tolist()) for one in each])
    found = pooling.fit("mean", answers, everywhere(answers), y, HALF, TWO)
    mixed = TWO.mixed(answers, torch.ones(3, 12))
    assert nll(mixed, y) > 0.5 and nll(found.answers, y) < 0.01 and TWO.score(mixed, y) == 1.0
    assert sorted(weighing.greedy(answers, everywhere(answers), y, TWO).tolist()) == pytest.approx([1 / 3] * 3)


def test_a_model_may_be_chosen_more_than_once() -> None:
    rng, y = drawn(400)
    noise = [torch.from_numpy(rng.normal(0, size, 400)) for size in (1.0, 2.0)]
    answers = torch.stack([says((torch.where(y == 0, 1.0, -1.0) + one).sigmoid().tolist()) for one in noise])
    weights = weighing.greedy(answers, everywhere(answers), y, TWO)
    assert 0 < weights[1] < weights[0] and weights.sum() == pytest.approx(1)


def test_of_equal_models_the_first_alone_is_kept() -> None:
    y = torch.tensor([0, 1])
    answers = torch.stack([says([0.8, 0.2])] * 3)
    assert weighing.greedy(answers, everywhere(answers), y, TWO).tolist() == [1.0, 0.0, 0.0]


def test_greedy_weights_know_that_streams_are_missing() -> None:
    """The first model is better where it can speak, and seldom can: where it always can, the other is not needed."""
    rng, y = drawn(200)
    noise = torch.from_numpy(rng.normal(0, 1.0, 200))
    better, worse = (says((torch.where(y == 0, size, -size) + noise).sigmoid().tolist()) for size in (3.0, 1.0))
    answers, seen = torch.stack([better, worse]), torch.ones(2, 200, dtype=torch.bool)
    assert weighing.greedy(answers, seen, y, TWO).tolist() == [1.0, 0.0]
    seen[0, 20:] = False
    assert weighing.greedy(answers, seen, y, TWO)[1] > 0


def test_stacking_learns_whom_to_believe_and_whose_word_to_turn_round() -> None:
    """The first says the opposite of the truth, the second nothing: their product is worse than a coin."""
    rng, y = drawn(200)
    wrong = torch.where(y == 0, 0.2, 0.8) + torch.from_numpy(rng.normal(0, 0.05, 200))
    answers = torch.stack([says(wrong.tolist()), says(rng.uniform(0.1, 0.9, 200).tolist())])
    product = pooling.fit("product", answers, everywhere(answers), y, HALF, TWO)
    found = pooling.fit("stacking", answers, everywhere(answers), y, HALF, TWO)
    assert product.pool is None and nll(product.answers, y) > 1
    assert nll(found.answers, y) < 0.05 and found.flops > 0
    assert TWO.score(found.pool(answers, everywhere(answers), TWO), y) == 1.0


def test_what_stacking_reaches_on_validation_is_of_rows_that_it_was_not_fitted_on() -> None:
    """Twenty models of noise beside one that knows something: on the rows that it was fitted on, it looks better."""
    rng, y = drawn(60)
    known = torch.where(y == 0, 0.6, 0.4) + torch.from_numpy(rng.normal(0, 0.15, 60))
    answers = torch.stack([says(known.clamp(0.05, 0.95).tolist()),
                           *(says(rng.uniform(0.05, 0.95, 60).tolist()) for _ in range(20))])
    found = pooling.fit("stacking", answers, everywhere(answers), y, HALF, TWO)
    flattered = nll(found.pool(answers, everywhere(answers), TWO), y)
    assert nll(found.answers, y) > flattered + 0.1
    rng, other = drawn(4000, seed=1)
    known = torch.where(other == 0, 0.6, 0.4) + torch.from_numpy(rng.normal(0, 0.15, 4000))
    new = torch.stack([says(known.clamp(0.05, 0.95).tolist()),
                       *(says(rng.uniform(0.05, 0.95, 4000).tolist()) for _ in range(20))])
    truth = nll(found.pool(new, everywhere(new), TWO), other)
    assert abs(nll(found.answers, y) - truth) < 0.1 < abs(flattered - truth)


def test_stacking_answers_whatever_streams_are_missing() -> None:
    rng, y = drawn(300)
    right = says(torch.where(y == 0, 0.85, 0.15).tolist())
    answers = torch.stack([right, right])
    seen = torch.from_numpy(rng.random((2, 300)) < 0.6)
    found = pooling.fit("stacking", answers, seen, y, np.log(np.array([0.3, 0.7], np.float32)), TWO)
    told = found.pool(answers, seen, TWO)
    assert TWO.score(told[seen.any(0)], y[seen.any(0)]) == 1.0
    assert told[~seen.any(0)].exp()[0].tolist() == pytest.approx([0.3, 0.7])
    nobody = torch.zeros_like(seen)
    nobody[1] = True
    assert TWO.score(pooling.fit("stacking", answers, nobody, y, HALF, TWO).answers, y) == 1.0  # one of them never is


def test_a_class_that_validation_lacks_can_still_be_answered() -> None:
    task, y = networks.task(3), drawn(100)[1]
    answers = torch.full((1, 100, 3), 0.05)
    answers[0, torch.arange(100), y] = 0.9
    found = pooling.fit("stacking", answers.log(), everywhere(answers), y, np.log(np.full(3, 1 / 3, np.float32)), task)
    assert -task.log_likelihood(found.answers, y).mean() < 0.1
    third = torch.tensor([[[0.05, 0.05, 0.9]]]).log()
    assert found.pool(third, torch.ones(1, 1, dtype=torch.bool), task).argmax().item() == 2


def test_numbers_and_tags_are_stacked_too() -> None:
    """The first model is ten too high, the second half as large as it should be."""
    rng = np.random.default_rng(0)
    y = torch.from_numpy(rng.normal(50, 10, (200, 1))).float()
    task = Regression({"price": ""}).fitted(y.numpy())
    spread, noise = torch.ones(200, 1), torch.from_numpy(rng.normal(size=(200, 1))).float()
    answers = torch.stack([torch.cat([y + 10 + noise, spread], 1), torch.cat([y / 2, spread], 1)])
    mean = pooling.fit("mean", answers, everywhere(answers), y, task.nothing(y.numpy()), task)
    found = pooling.fit("stacking", answers, everywhere(answers), y, task.nothing(y.numpy()), task)
    assert task.score(found.answers, y) > 0.99
    assert task.score(mean.answers, y) < 0.6

    tags, truth = MultiLabel(["a", "b"], counts=[30, 30], rows=60), torch.from_numpy(rng.integers(2, size=(120, 2)))
    said = (6.0 * truth - 3).unsqueeze(0) * torch.tensor([1.0, -1.0])  # of the second tag, the opposite
    stacked = pooling.fit("stacking", said, everywhere(said), truth, tags.nothing(truth.numpy()), tags).answers
    assert ((stacked > 0) == (truth > 0)).all()


def test_pools_are_kept_as_plain_values_and_weights() -> None:
    rng, y = drawn(50)
    answers = torch.stack([says(rng.uniform(0.1, 0.9, 50).tolist()) for _ in range(2)])
    for way in ("mean", "selection", "stacking"):
        pool = pooling.fit(way, answers, everywhere(answers), y, HALF, TWO).pool
        again = pools.empty(pools.about(pool))
        again.load_state_dict(pool.state_dict())
        assert again(answers, everywhere(answers), TWO).equal(pool(answers, everywhere(answers), TWO))


@pytest.mark.parametrize("task", [TWO, MultiLabel(["big", "red"]), Regression({"price": "EUR"}, scale=[70.0])])
def test_gradients_stay_finite_where_no_model_with_a_weight_sees_a_sample(task: Any) -> None:
    answers = torch.tensor([[[-0.7, -0.7], [-0.1, -2.0]], [[-0.3, -1.4], [-0.7, -0.7]]], requires_grad=True)
    pool = pools.Mean(torch.tensor([1.0, 0.0]), task.uncalibrated())
    seen = torch.tensor([[True, False], [True, True]])
    found = pool(answers, seen, task)
    assert torch.equal(found[1], task.pooled(answers[:1], torch.zeros(1, 2, dtype=torch.bool))[1])
    found[0].sum().backward()
    assert answers.grad is not None and answers.grad.isfinite().all()
