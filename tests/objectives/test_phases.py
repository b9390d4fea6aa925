"""Objectives over a whole network: the identities that show them to be right."""

from __future__ import annotations

import math

import pytest
import torch

from tests import networks
from trivium import objectives
from trivium.data.store import Batch
from trivium.modalities.spec import Spec
from trivium.objectives.align import contrast
from trivium.objectives.network.dgl import Decoupled
from trivium.objectives.network.distil import Distil
from trivium.objectives.network.joint import Joint
from trivium.objectives.network.modality_dropout import ModalityDropout, hidden
from trivium.objectives.network.unimodal_losses import UnimodalLosses
from trivium.training import budget

SPECS = {"photo": Spec("photo", "image", (1, 8, 8), modality="image"),
         "scan": Spec("scan", "image", (1, 8, 8), modality="image")}


def batch(samples: int = 6) -> Batch:
    generator = torch.Generator().manual_seed(0)
    present = torch.ones(samples, 2, dtype=torch.bool)
    present[0, 1] = False
    return Batch({s: torch.randn(samples, 1, 8, 8, generator=generator) for s in SPECS}, present,
                 torch.arange(samples) % 3)


def gradients(task: Joint) -> list[torch.Tensor]:
    task.zero_grad()
    task.loss(batch(), torch.Generator()).backward()
    return [p.grad.clone() for p in task.model.parameters() if p.grad is not None]


def test_losses_of_weight_0_are_plain_joint_training_bit_for_bit() -> None:
    plain = gradients(Joint(networks.multimodal(SPECS, 3)))
    off = UnimodalLosses(networks.multimodal(SPECS, 3), {"photo": 0.0, "scan": 0.0})
    assert all(torch.equal(a, b) for a, b in zip(plain, gradients(off), strict=True))
    assert not off.heads
    on = UnimodalLosses(networks.multimodal(SPECS, 3), {"photo": 1.0, "scan": 0.0})
    assert not all(torch.equal(a, b) for a, b in zip(plain, gradients(on), strict=True))
    assert list(on.heads) == ["photo"]


def test_a_streams_own_loss_is_over_the_samples_that_have_it() -> None:
    task = UnimodalLosses(networks.multimodal(SPECS, 3), {"scan": 2.0})
    one = batch()
    own = torch.nn.functional.cross_entropy(task.heads["scan"](task.model.encoders["scan"](one.inputs["scan"][1:])),
                                            one.y[1:])
    joint = Joint(task.model).loss(one, torch.Generator())
    torch.testing.assert_close(task.loss(one, torch.Generator()), joint + 2.0 * own)


def test_dropout_of_0_is_plain_joint_training_bit_for_bit() -> None:
    plain = gradients(Joint(networks.multimodal(SPECS, 3)))
    off = gradients(ModalityDropout(networks.multimodal(SPECS, 3), 0.0))
    assert all(torch.equal(a, b) for a, b in zip(plain, off, strict=True))
    on = gradients(ModalityDropout(networks.multimodal(SPECS, 3), 0.9))
    assert not all(torch.equal(a, b) for a, b in zip(plain, on, strict=True))


def test_what_is_hidden() -> None:
    """Of three streams at p = 0.5: all are kept where all would go, 1 of 8; so 4/7 x 7/8 + 1/8 of each are left."""
    present = torch.ones(20_000, 3, dtype=torch.bool)
    present[::2, 2] = False
    left = hidden(present, 0.5, torch.Generator().manual_seed(0))
    assert left.any(1).all() and not left[::2, 2].any()
    assert left[1::2].float().mean(0).tolist() == pytest.approx([0.625] * 3, abs=0.015)
    assert left[::2, :2].float().mean(0).tolist() == pytest.approx([0.75] * 2, abs=0.015)
    assert torch.equal(hidden(present, 1.0, torch.Generator()), present)


def test_decoupled_encoders_learn_from_their_own_loss_alone_and_the_rest_from_the_joint_one() -> None:
    model, one = networks.multimodal(SPECS, 3), batch()
    task = Decoupled(model)
    task.loss(one, torch.Generator()).backward()
    found = {name: p.grad for name, p in task.named_parameters() if p.grad is not None}
    own = UnimodalLosses(networks.multimodal(SPECS, 3), dict.fromkeys(SPECS, 1.0))
    own.load_state_dict(task.state_dict())
    own.beside(torch.zeros(()), own.model.read(one), one).backward()
    alone = {name: p.grad for name, p in own.named_parameters() if p.grad is not None}
    joint = networks.multimodal(SPECS, 3)
    joint.load_state_dict(model.state_dict())
    Joint(joint).loss(one, torch.Generator()).backward()
    whole = {f"model.{name}": p.grad for name, p in joint.named_parameters() if p.grad is not None}
    encoders = [name for name in found if name.startswith("model.encoders.")]
    rest = [name for name in found if name.startswith(("model.fusion.", "model.head."))]
    assert encoders and rest and set(found) == {*encoders, *rest, *(n for n in alone if n.startswith("heads."))}
    for name in encoders:
        torch.testing.assert_close(found[name], alone[name])
        assert not torch.allclose(found[name], whole[name])
    for name in rest:
        torch.testing.assert_close(found[name], whole[name])


def test_distillation_of_weight_0_is_plain_joint_training_bit_for_bit() -> None:
    teachers = networks.encoders(SPECS, seed=1)
    plain = gradients(Joint(networks.multimodal(SPECS, 3)))
    off = Distil(networks.multimodal(SPECS, 3), teachers, 0.0)
    assert all(torch.equal(a, b) for a, b in zip(plain, gradients(off), strict=True))


def test_students_that_are_their_teachers_lose_nothing_more_and_teachers_stay_as_they_are() -> None:
    model = networks.multimodal(SPECS, 3)
    same = Distil(model, networks.encoders(SPECS), 5.0)
    one = batch()
    torch.testing.assert_close(same.loss(one, torch.Generator()), Joint(model).loss(one, torch.Generator()))
    before = [p.clone() for teacher in same.teachers.values() for p in teacher.parameters()]
    gradients(same)
    assert all(p.grad is None for teacher in same.teachers.values() for p in teacher.parameters())
    after = [p for teacher in same.teachers.values() for p in teacher.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert not [key for key in same.state_dict() if "teacher" in key]


def test_a_teacher_shows_in_the_bill() -> None:
    specs = {"photo": SPECS["photo"]}
    model = networks.multimodal(specs, 3)
    one = Batch({"photo": torch.randn(2, 1, 8, 8)}, torch.ones(2, 1, dtype=torch.bool), torch.tensor([0, 1]))

    def cost(task: Joint) -> float:
        return budget.counted(lambda: task.loss(one, torch.Generator()), module=task)

    forward = budget.passes(model.encoders["photo"], specs["photo"])(0)
    assert cost(Distil(model, networks.encoders(specs, seed=1), 1.0)) == cost(Joint(model)) + forward
    assert forward > 0


def test_infonce_of_samples_that_cannot_be_told_apart_is_ln_n() -> None:
    assert contrast(torch.zeros(8, 8)).item() == pytest.approx(math.log(8))
    assert contrast(100 * torch.eye(8)).item() == pytest.approx(0.0, abs=1e-6)


def test_alignment_looks_at_samples_that_have_both_streams_and_leaves_its_encoders() -> None:
    task = objectives.build(objectives.chosen("align", "objective"), networks.encoders(SPECS), tuple(SPECS),
                            networks.task(3))
    one = batch()
    alone = Batch({s: x.clone() for s, x in one.inputs.items()}, one.present, one.y)
    alone.inputs["scan"][0] = 100.0  # of the sample that has no scan
    assert task.score(one).item() == task.score(alone).item()
    nothing = Batch(one.inputs, torch.zeros_like(one.present), one.y)
    assert task.score(nothing).item() == 0.0
    assert set(task.encoders) == {"photo", "scan"}
