"""What several models say on average, by hand: a mixture, not a product."""

import math

import pytest
import torch

from tests import networks
from trivium.tasks.multilabel import MultiLabel
from trivium.tasks.regression import Regression


def test_probabilities_are_averaged_by_weight() -> None:
    """One is sure of the wrong class: their product follows it, their mean does not."""
    task = networks.task(2)
    answers = torch.tensor([[[0.8, 0.2]], [[0.8, 0.2]], [[1e-6, 1 - 1e-6]]]).log()
    everybody = torch.ones(3, 1)
    assert task.mixed(answers, everybody).exp()[0].tolist() == pytest.approx([1.6 / 3, 1.4 / 3], rel=1e-5)
    assert task.pooled(answers, everybody.bool()).exp()[0, 0] < 0.001
    assert task.mixed(answers, torch.tensor([[3.0], [0.0], [1.0]])).exp()[0, 0] == pytest.approx(0.6, rel=1e-5)


def test_a_class_that_one_model_excludes_keeps_what_the_other_gives_it() -> None:
    answers = torch.tensor([[[0.0, -torch.inf]], [[-math.log(2), -math.log(2)]]])
    assert networks.task(2).mixed(answers, torch.ones(2, 1)).exp()[0].tolist() == pytest.approx([0.75, 0.25])


def test_without_any_model_it_is_what_knows_nothing() -> None:
    answers = torch.tensor([[[0.9, 0.1]], [[0.9, 0.1]]]).log()
    assert networks.task(2).mixed(answers, torch.zeros(2, 1)).exp()[0].tolist() == pytest.approx([0.5, 0.5])
    tags = MultiLabel(["red"], counts=[1], rows=5)
    nothing = tags.mixed(torch.tensor([[[3.0]]]), torch.zeros(1, 1))
    assert nothing.equal(tags.pooled(torch.tensor([[[3.0]]]), torch.zeros(1, 1, dtype=torch.bool)))


def test_tags_are_averaged_one_by_one() -> None:
    answers = torch.tensor([[0.9, 0.5], [0.3, 0.5]]).logit().unsqueeze(1)
    found = MultiLabel(["red", "round"]).mixed(answers, torch.ones(2, 1)).sigmoid()
    assert found[0].tolist() == pytest.approx([0.6, 0.5])


def test_numbers_are_averaged_and_models_that_disagree_are_less_sure() -> None:
    """Of 10 ± 1 and 14 ± 2, each half: variance 2.5 within and 4 between."""
    task = Regression({"price": "EUR"})
    answers = torch.tensor([[[10.0, 0.0]], [[14.0, math.log(2)]]])
    mean, log_deviation = task.mixed(answers, torch.ones(2, 1))[0].tolist()
    assert mean == pytest.approx(12) and math.exp(2 * log_deviation) == pytest.approx(6.5, rel=1e-5)
    one = task.mixed(answers, torch.tensor([[0.0], [5.0]]))[0].tolist()
    assert one == pytest.approx([14, math.log(2)])
