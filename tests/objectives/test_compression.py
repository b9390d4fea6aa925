"""Objectives that make models small, where it is known what they come to."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from tests import networks
from tests.training import tiny
from trivium import fusion as fusions
from trivium import models
from trivium.data.store import Batch
from trivium.encoders import Described, narrower
from trivium.machine import device
from trivium.modalities.spec import Spec
from trivium.models.network import Ensemble, Model, Unimodal
from trivium.objectives.network.compress import Compress
from trivium.objectives.network.joint import Joint
from trivium.objectives.network.prune import Prune, prunable
from trivium.tasks import Task
from trivium.tasks.classification import Classification
from trivium.tasks.multilabel import MultiLabel
from trivium.tasks.ordinal import Ordinal
from trivium.tasks.regression import Regression
from trivium.training.feed import Feed
from trivium.training.loop import Schedule, fit

SPECS = {"photo": Spec("photo", "image", (1, 8, 8), modality="image"),
         "scan": Spec("scan", "image", (1, 8, 8), modality="image")}
NUMBERS = Regression({"x": "", "y": ""}, scale=[2.0, 1.0]).fitted(np.array([[0.0, 1.0], [4.0, 3.0]], np.float32))


class Knows(Model):
    """A teacher that is right: class 1 where the first stream is bright on average, 0 where it is not."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.streams = tuple(SPECS)

    def forward(self, inputs: dict[str, Tensor], present: Tensor) -> Tensor:
        bright = 8 * inputs["photo"].mean((1, 2, 3))
        return torch.stack([-bright, bright], 1).log_softmax(1)


def feed(count: int, seed: int) -> tuple[Feed, Tensor]:
    """Samples whose labels are all wrong; and what is true of them."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 1, 8, 8, generator=draw) + torch.randn(count, 1, 1, 1, generator=draw)
    inputs = {"photo": x, "scan": torch.randn(count, 1, 8, 8, generator=draw)}
    truth = (x.mean((1, 2, 3)) > 0).long()
    return Feed(Batch(inputs, torch.ones(count, 2, dtype=torch.bool), 1 - truth), np.arange(count), 0), truth


@pytest.mark.parametrize(("alpha", "least", "most"), [(0.0, 0.95, 1.0), (1.0, 0.0, 0.05)])
def test_a_student_learns_what_its_teacher_knows_where_labels_lie(alpha: float, least: float, most: float) -> None:
    (train, _), (new, truth) = feed(640, 1), feed(200, 2)
    model = networks.multimodal(SPECS, 2)
    objective = Compress(model, Knows(model.task), alpha, 2.0)
    fit(objective, train, new, Schedule(60, 64, 0.003), tiny.LOOP, device.prepare("cpu"), 0, last=True)
    batch = next(new.once(200))
    with torch.no_grad():
        right = (model(batch.inputs, batch.present).argmax(1) == truth).double().mean().item()
    assert least <= right <= most


def test_a_teacher_counts_as_much_as_it_is_said_to_and_is_no_part_of_what_is_trained() -> None:
    model, (train, _) = networks.multimodal(SPECS, 2), feed(6, 3)
    batch = next(train.once(6))
    hard, soft = (Compress(model, Knows(model.task), alpha, 3.0).loss(batch, torch.Generator()) for alpha in (1.0, 0.0))
    both = Compress(model, Knows(model.task), 0.25, 3.0)
    torch.testing.assert_close(both.loss(batch, torch.Generator()), 0.25 * hard + 0.75 * soft)
    torch.testing.assert_close(hard, Joint(model).loss(batch, torch.Generator()))
    assert {key.split(".")[0] for key in both.state_dict()} == {"model"}
    weighted = Batch(batch.inputs, batch.present, batch.y, weight=torch.tensor([0.0, 0, 0, 1, 0, 0]))
    alone = Batch({s: x[3:4] for s, x in batch.inputs.items()}, batch.present[3:4], batch.y[3:4])
    torch.testing.assert_close(both.loss(weighted, torch.Generator()), both.loss(alone, torch.Generator()))


@pytest.mark.parametrize(("task", "answers"), [
    (Classification(["a", "b"]), [[-0.1, -2.0]]), (Ordinal(["a", "b"]), [[-0.1, -2.0]]),
    (MultiLabel(["a", "b"]), [[0.3, -2.0]]), (NUMBERS, [[4.0, 1.0, 0.0, 0.0]])])
def test_who_says_what_the_teacher_says_loses_nothing(task: Task, answers: list[list[float]]) -> None:
    told = torch.tensor(answers)
    same = torch.tensor([[1.0, -1.0]]) if isinstance(task, Regression) else told  # (4 - 2) / 2, (1 - 2) / 1
    for temperature in (1.0, 4.0):
        assert task.distilled(same, told, temperature).tolist() == pytest.approx([0.0], abs=1e-6)
        assert task.distilled(same + torch.tensor([0.5, 0.0]), told, temperature).item() > 0.01


def test_how_far_a_student_is_from_its_teacher() -> None:
    """KL of (3/4, 1/4) from (1/2, 1/2) is 0.1308 nats; a tag's of 3/4 from 1/2 the same, half of it over two tags."""
    even, third = torch.zeros(1, 2), torch.log(torch.tensor([[3.0, 1.0]]))
    assert Classification(["a", "b"]).distilled(even, third, 1.0).item() == pytest.approx(0.130812, abs=1e-5)
    logits = torch.log(torch.tensor([[3.0, 1.0]]))  # 3/4 and 1/2
    assert MultiLabel(["a", "b"]).distilled(even, logits, 1.0).item() == pytest.approx(0.065406, abs=1e-5)
    assert NUMBERS.distilled(torch.tensor([[0.0, 0.0]]), torch.tensor([[4.0, 1.0, 9.0, 9.0]]), 7.0).item() == (
        pytest.approx((0.5 + 0.5) / 2))


@pytest.mark.parametrize("task", [Classification(["a", "b", "c"]), Ordinal(["a", "b", "c"]),
                                  MultiLabel(["a", "b", "c"]), NUMBERS], ids=lambda task: task.name)
def test_a_student_of_an_ensemble_comes_close_to_it_in_every_task(task: Task) -> None:
    members = {s: Unimodal(one, task.outputs) for s, one in networks.encoders(SPECS, seed=1).items()}
    for k, member in enumerate(members.values()):
        torch.nn.init.normal_(member.head.weight, std=0.5, generator=torch.Generator().manual_seed(k))
    teacher = Ensemble(members, tuple(SPECS), task)
    model = models.multimodal(networks.encoders(SPECS), task, fusions.chosen("concat", "fusion"), 0)
    objective, (train, _) = Compress(model, teacher, 0.0, 2.0), feed(64, 5)
    whole = next(train.once(64))
    batch = Batch(whole.inputs, whole.present, task.example(64))
    optimizer = torch.optim.Adam(model.parameters(), 0.003)
    losses = []
    for _ in range(60):
        loss = objective.loss(batch, torch.Generator())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert 0 <= losses[-1] < 0.1 * losses[0]


@pytest.mark.parametrize(("task", "parts"), [(Classification(["a", "b"]), 2), (MultiLabel(["a", "b"]), 8)])
def test_at_a_high_temperature_the_gradient_is_the_difference_of_the_logits(task: Task, parts: int) -> None:
    """Hinton et al. 2015, equation 4, times T^2: (z - v) / N of classes; (z - v) / 4 of a tag, over their number."""
    outputs = torch.tensor([[0.5, -0.5]], requires_grad=True)
    task.distilled(outputs, torch.tensor([[1.5, -1.5]]), 1000.0).sum().backward()
    assert outputs.grad is not None
    assert outputs.grad.tolist()[0] == pytest.approx([-1 / parts, 1 / parts], rel=1e-2)


@pytest.mark.parametrize(("done", "share"), [(0.0, 0.0), (0.049, 0.0), (0.05, 0.8 * (1 - 0.95**3)), (0.5, 0.7),
                                             (1.0, 0.8)])
def test_the_share_of_zeros_rises_as_a_cube(done: float, share: float) -> None:
    assert Prune(networks.multimodal(SPECS, 2), 0.8, True).share(done) == pytest.approx(share)
    assert Prune(networks.multimodal(SPECS, 2), 0.8, False).share(done) == 0.8


def test_the_smallest_weights_go_first_and_do_not_come_back() -> None:
    model, (train, _) = networks.multimodal(SPECS, 2), feed(6, 4)
    objective, batch = Prune(model, 0.5, True), next(train.once(6))
    before = [weight.detach().clone() for weight in prunable(model)]
    objective.loss(batch, torch.Generator())
    objective.after_step(1.0)
    for weight, was in zip(prunable(model), before, strict=True):
        gone = weight == 0
        assert int(gone.sum()) == round(0.5 * weight.numel())
        assert was[gone].abs().max() <= was[~gone].abs().min() and torch.equal(weight[~gone], was[~gone])
    held = Prune(model, 0.5, False)  # the phase behind it, in which a step moves all
    held.loss(batch, torch.Generator())
    gone = [weight == 0 for weight in prunable(model)]
    with torch.no_grad():
        for weight in prunable(model):
            weight.add_(10.0)
    held.after_step(0.1)
    assert all(torch.equal(weight == 0, was) for weight, was in zip(prunable(model), gone, strict=True))


def test_narrower_encoders_have_whole_eights() -> None:
    def width(of: int, share: float) -> int:
        return narrower(Described("text", "cnn", "", ("text", {}), {"width": of, "depth": 2}), share).settings["width"]

    assert [width(64, 0.5), width(64, 0.3), width(64, 0.01), width(10, 0.9), width(30, 1.0)] == [32, 16, 8, 8, 30]
    plain = Described("image", "hog", "", ("hog", {}), {})
    assert narrower(plain, 0.5) == plain
