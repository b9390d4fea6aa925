"""Objectives that see to gradients, or weigh losses: identities, and numbers made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests import networks
from tests.objectives.test_phases import SPECS, batch, gradients
from trivium.objectives.network import alternating, mmpareto, ogm_ge
from trivium.objectives.network.gradient_blending import Blended
from trivium.objectives.network.joint import Joint
from trivium.objectives.network.unimodal_losses import UnimodalLosses


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def after(objective: Joint, seed: int = 0) -> dict[str, torch.Tensor]:
    """Gradients as the step would find them."""
    objective.zero_grad()
    objective.loss(batch(), draw(seed)).backward()
    objective.after_backward()  # type: ignore[operator]
    return {name: p.grad.clone() for name, p in objective.named_parameters() if p.grad is not None}


def test_modulation_of_0_is_plain_joint_training_bit_for_bit() -> None:
    plain = gradients(Joint(networks.multimodal(SPECS, 3)))
    off = after(ogm_ge.Modulated(networks.multimodal(SPECS, 3), 0.0))
    assert all(torch.equal(a, b) for a, b in zip(plain, off.values(), strict=True))


def test_the_stream_that_is_ahead_is_slowed_down() -> None:
    """Scores of .8, .4 and .2: the first is .8 / .3 times the mean of the others, the second .4 / .5 times."""
    found = ogm_ge.factors(torch.tensor([0.8, 0.4, 0.2]), 0.3)
    assert found.tolist() == pytest.approx([1 - 0.6640368, 1, 1])  # tanh(0.8) = 0.6640368
    assert ogm_ge.factors(torch.tensor([0.5, 0.5]), 0.3).tolist() == [1, 1]
    nobody = torch.tensor([0.8, torch.nan, 0.2])  # no sample has the second one
    assert ogm_ge.factors(nobody, 0.1).tolist() == pytest.approx([1 - 0.3799490, 1, 1])  # tanh(0.4)
    assert ogm_ge.factors(torch.tensor([0.8]), 0.3).tolist() == [1]


def test_a_streams_score_is_the_probability_of_the_class_from_it_alone_over_the_samples_that_have_it() -> None:
    model, one = networks.multimodal(SPECS, 3), batch()
    found = ogm_ge.Modulated(model, 0.3).scores(model.read(one), one)
    alone = torch.tensor([[False, True]]).expand(6, 2)
    truth = model.outputs(model.read(one), alone).softmax(1)[torch.arange(6), one.y]
    assert found[1].item() == pytest.approx(truth[1:].mean().item())  # the first sample has no scan


def test_modulated_gradients_are_joint_ones_times_k_and_noise_as_large_as_they_are(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ogm_ge, "factors", lambda scores, alpha: torch.tensor([0.25, 1.0]))
    joint = Joint(networks.multimodal(SPECS, 3))
    joint.loss(batch(), draw()).backward()
    plain = {name: p.grad for name, p in joint.named_parameters() if p.grad is not None}
    found = after(ogm_ge.Modulated(networks.multimodal(SPECS, 3), 0.3))
    noise = list[torch.Tensor]()
    for name, g in plain.items():
        k = 0.25 if ".photo." in name else 1.0
        if "encoders" in name and g.dim() > 1:
            noise.append(((found[name] - k * g) / g.std()).flatten())
        else:
            assert torch.equal(found[name], k * g if "encoders" in name else g)
    drawn = torch.cat(noise)
    assert len(drawn) > 4000
    assert (drawn.mean().item(), drawn.std().item()) == (pytest.approx(0, abs=0.05), pytest.approx(1, abs=0.05))


def test_noise_comes_from_the_generator_of_the_step() -> None:
    one, same, other = (after(ogm_ge.Modulated(networks.multimodal(SPECS, 3), 0.3), seed) for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["model.encoders.photo.stem.embed.weight"],
                           other["model.encoders.photo.stem.embed.weight"])


def test_gradients_that_agree_are_added() -> None:
    g, u = torch.tensor([2.0, 1.0]), torch.tensor([1.0, 0.0])
    assert mmpareto.joined(g, u).tolist() == [3.0, 1.0]
    assert mmpareto.joined(g, g).tolist() == [4.0, 2.0]


def test_gradients_that_pull_apart_become_the_direction_that_serves_both() -> None:
    """g = (2, 0), u = (-1, 1): a = u . (u - g) / |g - u|^2 = 4 / 10; 2 a g + 2 (1 - a) u = (.4, 1.2), 1.265 long, and
    the plain sum (1, 1), 1.414 long.
    """
    g, u = torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 1.0])
    found = mmpareto.joined(g, u)
    assert found.tolist() == pytest.approx([0.4 * 2**0.5 / 1.6**0.5, 1.2 * 2**0.5 / 1.6**0.5])
    assert found @ g > 0 and found @ u > 0
    assert found @ g == pytest.approx((found @ u).item())  # the shortest one serves both alike
    short = mmpareto.joined(torch.tensor([1.0, 0.2]), torch.tensor([-1.0, 0.2]))
    assert short.tolist() == pytest.approx([0.0, 0.4])  # as long as the plain sum: it stays
    assert mmpareto.joined(g, -g).tolist() == [0.0, 0.0]


def test_pareto_steps_that_agree_are_those_of_single_stream_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    own = UnimodalLosses(networks.multimodal(SPECS, 3), dict.fromkeys(SPECS, 1.0))
    task = mmpareto.Pareto(networks.multimodal(SPECS, 3), 1.0)
    task.load_state_dict(own.state_dict())
    own.loss(batch(), draw()).backward()
    plain = {name: p.grad for name, p in own.named_parameters() if p.grad is not None}
    monkeypatch.setattr(mmpareto, "joined", lambda g, u: g + u)
    found = after(task)
    assert set(found) == set(plain)
    for name, g in plain.items():
        torch.testing.assert_close(found[name], g)
    monkeypatch.setattr(mmpareto, "joined", lambda g, u: u)
    alone = after(task)
    for name, g in plain.items():
        assert torch.allclose(alone[name], g) == ("encoders" not in name)


def test_streams_take_turns_and_nobody_else_learns() -> None:
    task = alternating.Alternating(networks.multimodal(SPECS, 3, "entropy"), 0.1)
    for turn in ("photo", "scan", "photo"):
        moved = after(task)
        assert {name.split(".")[2] for name in moved if "encoders" in name} == {turn}
    assert task.state_dict()["steps"].item() == 3
    again = alternating.Alternating(networks.multimodal(SPECS, 3, "entropy"), 0.1)
    again.load_state_dict(task.state_dict())
    assert {name.split(".")[2] for name in after(again) if "encoders" in name} == {"scan"}  # as a checkpoint goes on


def test_what_a_stream_is_taught_does_not_count_samples_without_it() -> None:
    task = alternating.Alternating(networks.multimodal(SPECS, 3, "entropy"), 0.1)
    task.steps += 1
    one, model = batch(), task.model
    expected = torch.nn.functional.cross_entropy(
        model.head(model.encoders["scan"](one.inputs["scan"][1:])), one.y[1:])
    torch.testing.assert_close(task.loss(one, draw()), expected)


def test_a_direction_is_taken_away_by_recursive_least_squares() -> None:
    """P = (I + sum of r r' / ridge)^-1, whatever the order: with r = (2, 0) and a ridge of 1, 1 / (1 + 4) along it."""
    once = alternating.without(torch.eye(2), torch.tensor([2.0, 0.0]), 1.0)
    assert once.flatten().tolist() == pytest.approx([0.2, 0, 0, 1])
    twice = alternating.without(once, torch.tensor([1.0, 1.0]), 1.0)
    expected = torch.linalg.inv(torch.tensor([[1.0 + 4 + 1, 1], [1, 1 + 1]]))
    torch.testing.assert_close(twice, expected)


def test_a_shared_head_is_not_moved_along_what_it_learned_of_another_stream() -> None:
    sharp, blunt = (alternating.Alternating(networks.multimodal(SPECS, 3, "entropy"), ridge) for ridge in (1e-6, 1e9))
    first, same = after(sharp), after(blunt)
    assert torch.equal(first["model.head.weight"], same["model.head.weight"])  # nothing came before
    mean = sharp.model.encoders["photo"](batch().inputs["photo"]).mean(0)
    second, plain = after(sharp)["model.head.weight"], after(blunt)["model.head.weight"]
    assert (plain @ mean).norm() > 0.01
    assert (second @ mean).norm() < 1e-3 * (plain @ mean).norm()
    assert plain.norm() / 2 < second.norm() < plain.norm()


def test_blended_losses_are_weighed() -> None:
    task = Blended(networks.multimodal(SPECS, 3))
    one = batch()
    joint = Joint(task.model).loss(one, draw())
    assert [task.together, *task.weights.values()] == pytest.approx([1 / 3] * 3)  # as long as nobody knows better
    task.weigh(1.0, {"photo": 0.0, "scan": 0.0})
    torch.testing.assert_close(task.loss(one, draw()), joint)
    task.weigh(0.25, {"photo": 0.75, "scan": 0.0})
    photo = torch.nn.functional.cross_entropy(task.heads["photo"](task.model.encoders["photo"](one.inputs["photo"])),
                                              one.y)
    torch.testing.assert_close(task.loss(one, draw()), 0.25 * joint + 0.75 * photo)


@pytest.mark.parametrize("make", [
    lambda: ogm_ge.Modulated(networks.multimodal(SPECS, 3), 0.3),
    lambda: mmpareto.Pareto(networks.multimodal(SPECS, 3), 1.5),
    lambda: alternating.Alternating(networks.multimodal(SPECS, 3, "entropy"), 0.1),
    lambda: Blended(networks.multimodal(SPECS, 3)),
], ids=["ogm_ge", "mmpareto", "alternating", "gradient_blending"])
def test_a_sample_that_weighs_twice_is_the_sample_twice(make) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    one = batch()
    counts = torch.tensor([1, 2, 1, 3, 1, 2])
    weighted = make().loss(replace(one, weight=counts.float()), draw())
    torch.manual_seed(0)
    repeated = make().loss(one[torch.arange(6).repeat_interleave(counts)], draw())
    torch.testing.assert_close(weighted, repeated)
