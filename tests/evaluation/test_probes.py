"""Linear probes."""

import pytest
import torch

from tests import networks
from trivium.evaluation.probes import probe
from trivium.tasks.probing import DECAY, fit

GENERATOR = torch.Generator().manual_seed(0)
TASK = networks.task(3)
Y = torch.arange(600) % 3
NOISE = torch.randn(600, 8, generator=GENERATOR)
SIGNAL = NOISE + 4 * torch.nn.functional.one_hot(Y, 8)
TRAIN, TEST = slice(0, 300), slice(300, 600)


def softmax(x: torch.Tensor) -> torch.Tensor:
    return x.softmax(1)


def test_it_reads_what_is_there() -> None:
    assert probe(TASK, SIGNAL[TRAIN], Y[TRAIN], SIGNAL[TEST], Y[TEST]) > 0.97
    assert probe(TASK, NOISE[TRAIN], Y[TRAIN], NOISE[TEST], Y[TEST]) == pytest.approx(1 / 3, abs=0.08)


def test_scale_and_place_of_the_features_do_not_matter() -> None:
    moved = 1000 * NOISE + 500
    scores = [probe(TASK, x[TRAIN], Y[TRAIN], x[TEST], Y[TEST]) for x in (NOISE, moved)]
    assert scores[0] == scores[1]


def test_a_constant_feature_is_harmless() -> None:
    flat = SIGNAL.clone()
    flat[:, 7] = 3.0
    assert probe(TASK, flat[TRAIN], Y[TRAIN], flat[TEST], Y[TEST]) > 0.97


def test_the_fit_is_the_minimum() -> None:
    x = torch.nn.functional.pad(SIGNAL.double(), (0, 1), value=1.0)
    goal = torch.nn.functional.one_hot(Y, 3).double()
    weight = fit(x, goal, softmax, 0.5).requires_grad_(True)
    loss = -((x @ weight).log_softmax(1) * goal).sum(1).mean() + DECAY / 2 * weight[:-1].square().sum()
    assert torch.autograd.grad(loss, weight)[0].abs().max() < 1e-4


def test_more_features_than_samples() -> None:
    wide = torch.cat([SIGNAL, torch.randn(600, 400, generator=GENERATOR)], 1).double()
    x = (wide - wide[TRAIN].mean(0)) / wide[TRAIN].std(0, correction=0)
    whole = torch.nn.functional.pad(x, (0, 1), value=1.0)
    weight = fit(whole[TRAIN], torch.nn.functional.one_hot(Y[TRAIN], 3).double(), softmax, 0.5)
    expected = ((whole[TEST] @ weight).argmax(1) == Y[TEST]).double().mean().item()
    assert probe(TASK, wide[TRAIN], Y[TRAIN], wide[TEST], Y[TEST]) == pytest.approx(expected, abs=0.004)
    assert expected > 0.8
