"""Losses: each is cross-entropy at the setting that says so, and what it says by hand elsewhere."""

import json
import math

import numpy as np
import pytest
import torch

from trivium.settings.errors import UserError
from trivium.tasks import chosen, losses, of
from trivium.tasks.classification import Classification
from trivium.tasks.multilabel import MultiLabel
from trivium.tasks.ordinal import Ordinal
from trivium.tasks.regression import Regression

THREE = ("a", "b", "c")
OUTPUTS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 3.0], [-1.0, 1.0, 0.0], [0.0, 4.0, 1.0]], dtype=torch.float64)
Y, TAGS = torch.tensor([0, 1, 1, 2]), torch.tensor([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 0]])
WEIGHT = torch.tensor([1.0, 2.0, 0.5, 1.0], dtype=torch.float64)
PLAIN = Classification(THREE)


def gradient(task: Classification | MultiLabel, y: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    z = OUTPUTS.clone().requires_grad_()
    task.loss(z, y, weight).backward()
    assert z.grad is not None
    return z.grad


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
@pytest.mark.parametrize(("task", "plain", "y"), [
    (Classification(THREE, {"name": "ce", "smoothing": 0.0}), PLAIN, Y),
    (Classification(THREE, {"name": "focal", "gamma": 0.0}), PLAIN, Y),
    (Classification(THREE, {"name": "balanced", "beta": 0.0}, [90, 9, 1]), PLAIN, Y),
    (Classification(THREE, "balanced", [40, 40, 40]), PLAIN, Y),
    (Classification(THREE, "balanced"), PLAIN, Y),
    (MultiLabel(THREE, {"name": "focal", "gamma": 0.0}), MultiLabel(THREE), TAGS),
    (MultiLabel(THREE, {"name": "asymmetric", "positive": 0.0, "negative": 0.0, "margin": 0.0}), MultiLabel(THREE),
     TAGS),
    (MultiLabel(THREE, {"name": "balanced", "beta": 0.0}, counts=[9, 5, 1], rows=20), MultiLabel(THREE), TAGS),
    (MultiLabel(THREE, "balanced", counts=[10] * 3, rows=20), MultiLabel(THREE), TAGS),
])
def test_it_is_cross_entropy(task: Classification, plain: Classification, y: torch.Tensor,
                             weight: torch.Tensor | None) -> None:
    assert task.loss(OUTPUTS, y, weight).item() == pytest.approx(plain.loss(OUTPUTS, y, weight).item(), rel=1e-12)
    torch.testing.assert_close(gradient(task, y, weight), gradient(plain, y, weight))


def test_smoothing_gives_every_class_its_share_of_the_target() -> None:
    z = torch.tensor([[math.log(2), 0.0, 0.0]], dtype=torch.float64)  # 1/2, 1/4, 1/4
    smooth = Classification(THREE, {"name": "ce", "smoothing": 0.3})
    assert smooth.losses(z, Y[:1]).item() == pytest.approx(0.8 * math.log(2) + 0.2 * math.log(4))


def test_the_focal_loss_forgives_what_is_learned() -> None:
    z = torch.tensor([[math.log(2), 0.0, 0.0]] * 2, dtype=torch.float64)
    assert Classification(THREE, "focal").losses(z, Y[:2]).tolist() == pytest.approx(
        [math.log(2) / 4, math.log(4) * 9 / 16])
    assert Classification(THREE, {"name": "focal", "gamma": 1.0}).losses(z[:1], Y[:1]).item() == pytest.approx(
        math.log(2) / 2)


def test_a_focal_loss_has_a_slope_where_the_answer_is_certain() -> None:
    z = torch.tensor([[200.0, 0.0, 0.0]], requires_grad=True)
    Classification(THREE, {"name": "focal", "gamma": 0.5}).loss(z, Y[:1]).backward()
    assert z.grad is not None and z.grad.tolist() == [[0.0, 0.0, 0.0]]


def test_classes_weigh_by_their_effective_number_of_train_rows() -> None:
    """beta = 1/2: E(1) = 1, E(2) = 3/2 and E(3) = 7/4, so weights 1, 2/3 and 4/7 over their mean of 85/126."""
    task = Classification(THREE, {"name": "balanced", "beta": 0.5}).fitted(np.array([0, 1, 1, 2, 2, 2]))
    mean = (1 + 2 * 2 / 3 + 3 * 4 / 7) / 6
    own = PLAIN.losses(OUTPUTS, Y)
    assert task.losses(OUTPUTS, Y).tolist() == pytest.approx(
        (own * torch.tensor([1, 2 / 3, 2 / 3, 4 / 7]) / mean).tolist())
    almost = losses.effective(np.array([90.0, 9.0, 1.0]), 1 - 1e-9)
    assert almost * [90, 9, 1] == pytest.approx([100 / 3] * 3, rel=1e-5)  # near 1 each class weighs the same
    assert losses.effective(np.array([5.0, 0.0]), 0.9)[0] == pytest.approx(1)  # a class that train lacks


def test_the_soft_f1_counts_probabilities() -> None:
    """By hand: class a has 0.8 of its 1, and 0.4 of others; class b 0.6 + 0.2 of its 2, and 0.1; c is not there."""
    p = torch.tensor([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.1, 0.2, 0.7]], dtype=torch.float64)
    goal = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 1, 0]], dtype=torch.float64)
    expected = 1 - (2 * 0.8 / (1.2 + 1) + 2 * 0.8 / (0.9 + 2)) / 2
    assert losses.soft_f1(p, goal).item() == pytest.approx(expected)
    task = Classification(THREE, "f1")
    assert task.loss(p.log(), torch.tensor([0, 1, 1])).item() == pytest.approx(expected)
    assert task.losses(p.log(), torch.tensor([0, 1, 1])).tolist() == pytest.approx([expected] * 3)
    assert losses.soft_f1(goal, goal).item() == pytest.approx(0)


@pytest.mark.parametrize("task", [Classification(THREE, "f1"), MultiLabel(THREE, "f1")])
def test_a_sample_of_weight_two_is_the_sample_twice_to_the_soft_f1(task: Classification) -> None:
    y = Y if task.name == "classification" else TAGS
    twice = torch.tensor([0, 0, 1, 2, 3, 3, 3])
    counts = torch.tensor([2.0, 1, 1, 3], dtype=torch.float64)
    assert task.loss(OUTPUTS, y, counts).item() == pytest.approx(task.loss(OUTPUTS[twice], y[twice]).item())
    nothing = torch.zeros(4, dtype=torch.float64)
    assert task.loss(OUTPUTS, y, nothing).item() == 1.0 and gradient(task, y, nothing).abs().sum() == 0


def test_the_asymmetric_loss_forgives_tags_that_nobody_expects() -> None:
    """A tag that is not there costs nothing at p = 0.04, below the margin, and 0.45^4 log(1 / 0.55) at p = 1/2."""
    z = torch.logit(torch.tensor([[0.04, 0.5, 0.5]], dtype=torch.float64))
    found = MultiLabel(THREE, "asymmetric").losses(z, torch.tensor([[0, 0, 1]]))
    assert found.item() == pytest.approx((-0.45**4 * math.log(0.55) + math.log(2)) / 3)


def test_the_cosine_loss_wants_the_direction_and_the_length() -> None:
    task = Regression({"x": "", "y": ""}, "cosine")  # scaled by nothing
    y = torch.tensor([[3.0, 4.0]] * 3)
    outputs = torch.tensor([[3.0, 4.0], [6.0, 8.0], [-4.0, 3.0]])
    assert task.losses(outputs, y).tolist() == pytest.approx([0.0, 25 / 4, 1.0], abs=1e-6)
    with pytest.raises(UserError, match="`cosine` is about the direction of several numbers, and there is one target"):
        import pyarrow as pa

        kind, settings = chosen({"name": "regression", "loss": "cosine"})
        kind.over(pa.array([[1.0], [2.0]]), ["price"], settings, 1)


def test_the_likelihood_does_not_ask_which_loss_was_minimised() -> None:
    for loss in losses.CLASSES:
        task = Classification(THREE, loss).fitted(np.array([0, 1, 1, 2]))
        assert task.nll(OUTPUTS, Y) == PLAIN.nll(OUTPUTS, Y)
        assert task.calibrated_nll(OUTPUTS, Y) == PLAIN.calibrated_nll(OUTPUTS, Y)
    for loss in losses.TAGS:
        assert MultiLabel(THREE, loss).nll(OUTPUTS, TAGS) == MultiLabel(THREE).nll(OUTPUTS, TAGS)


def test_what_it_is_survives_json_and_what_is_as_usual_is_not_said() -> None:
    assert PLAIN.plain() == {"name": "classification", "classes": ["a", "b", "c"]} == PLAIN.fitted(Y.numpy()).plain()
    for loss in ("focal", {"name": "ce", "smoothing": 0.1}, "balanced"):
        for kind in (Classification, Ordinal):
            task = kind(THREE, loss).fitted(np.array([0, 1, 1]))
            again = of(json.loads(json.dumps(task.plain())))
            assert again.plain() == task.plain() and task.plain()["loss"] == loss
            assert again.loss(OUTPUTS, Y).item() == task.loss(OUTPUTS, Y).item()
    assert Classification(THREE, "balanced").fitted(np.array([0, 1, 1])).plain()["counts"] == [1, 2, 0]


def test_losses_as_people_write_them() -> None:
    def written(loss: object, name: str = "classification", **more: object) -> object:
        return chosen({"name": name, "loss": loss} | more)[1].loss

    assert chosen("classification")[1].loss == "ce" == written({"name": "ce", "smoothing": 0})
    assert written("focal") == "focal" == written({"name": "focal", "gamma": 2})
    assert written({"name": "focal", "gamma": 1}) == {"name": "focal", "gamma": 1.0}
    assert written("balanced", "ordinal", order=["low", "high"]) == "balanced"
    for value, name, words in (
            ("focl", "classification", "params.yaml: `task.loss`: there is no loss `focl`; did you mean `focal`?"),
            ("bce", "classification", "params.yaml: `task.loss`: there is no loss `bce`; did you mean `ce`?"),
            ({"name": "focal", "gama": 1}, "multilabel", "params.yaml: unknown key `task.loss.gama`; did you mean "
                                                        "`gamma`?"),
            ({"name": "ce", "smoothing": 1}, "classification", "params.yaml: `task.loss.smoothing` must be below 1 "
                                                               "(got 1)."),
            ({"gamma": 1}, "classification", "params.yaml: `task.loss` is a name, or a mapping with the key `name` "
                                             "(got {'gamma': 1}).")):
        with pytest.raises(UserError) as caught:
            written(value, name)
        assert str(caught.value) == words
