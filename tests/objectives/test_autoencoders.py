"""Autoencoders by hand: what is corrupted, what is made again, how far a distribution is from N(0, I)."""

import math

import pytest
import torch
from torch import Tensor

from tests.objectives.streams import SPECS, batch, build, draw
from trivium.objectives.vae import divergence

IMAGE, TEXT = ("image",), ("text",)


def say(task: torch.nn.Module, value: float = 0.0) -> None:
    """Have the decoder guess `value`, whatever it reads."""
    with torch.no_grad():
        for weight in task.decode.parameters():  # type: ignore[union-attr]
            weight.zero_()
        task.decode[-1].bias.fill_(value)  # type: ignore[index, union-attr]


def read(task: torch.nn.Module, x: Tensor, one: object) -> list[Tensor]:
    """What the encoder reads in one step."""
    seen, forward = [], task.encoder.tokens  # type: ignore[union-attr]
    task.encoder.tokens = lambda x: (seen.append(x), forward(x))[1]  # type: ignore[union-attr, func-returns-value]
    task.loss(one, draw(3))  # type: ignore[operator]
    return seen


def test_the_clean_picture_is_what_counts() -> None:
    """Of a decoder that says 0.5, the error is the mean square of what is left of the clean input."""
    task, one = build("denoising", IMAGE), batch(streams=IMAGE)
    say(task, 0.5)
    expected = (one.inputs["image"] - 0.5).square().mean().item()
    assert task.loss(one, draw()).item() == pytest.approx(expected, rel=1e-5)


def test_a_picture_is_read_with_noise_of_the_deviation_that_is_set() -> None:
    one = batch(400, IMAGE)
    for noise in (0.0, 0.5, 2.0):
        seen, = read(build({"name": "denoising", "noise": noise}, IMAGE), one.inputs["image"], one)
        assert (seen - one.inputs["image"]).std().item() == pytest.approx(noise, rel=0.02)


def test_a_text_is_read_with_hidden_words_and_a_table_without_some_cells() -> None:
    one = batch(400)
    seen, = read(build({"name": "denoising", "hide": 0.3}, TEXT), one.inputs["text"], one)
    assert (seen == 2).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert torch.equal(seen[seen != 2], one.inputs["text"][seen != 2])
    seen, = read(build({"name": "denoising", "hide": 0.3}, ("facts",)), one.inputs["facts"], one)
    assert (seen[..., 1] == 0).float().mean().item() == pytest.approx(0.3, abs=0.03)


def test_padding_is_not_made_again() -> None:
    """Of a decoder that holds all 20 entries alike, bar padding, which it is sure of."""
    task, one = build("denoising", TEXT), batch(streams=TEXT)
    say(task)
    assert task.loss(one, draw()).item() == pytest.approx(math.log(20), rel=1e-5)
    with torch.no_grad():
        task.decode[-1].bias[0] = 50.0
    one.inputs["text"][:, 2:] = 0
    assert task.loss(one, draw()).item() > 40
    one.inputs["text"][:] = 0
    assert task.loss(one, draw()).item() == 0.0


def test_the_divergence_by_hand() -> None:
    """N(1, 1): 1/2; N(0, 4): (4 - 1 - ln 4) / 2; N(0, 1): nothing. Of several numbers, the sum."""
    mean, variance = torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[1.0, 4.0], [1.0, 1.0]])
    assert divergence(mean, variance.log()).tolist() == pytest.approx([0.5 + 0.806853, 0.0])
    drawn = torch.distributions.Normal(torch.tensor([0.3, -2.0]), torch.tensor([0.2, 1.5]))
    library = torch.distributions.kl_divergence(drawn, torch.distributions.Normal(0.0, 1.0)).sum()
    assert divergence(drawn.mean[None], drawn.variance.log()[None]).item() == pytest.approx(library.item(), rel=1e-5)


def test_the_bound_by_hand() -> None:
    """Mean 1 and variance 1 for each of two numbers: KL = 1 nat. A decoder that says 0 of 64 pixels is wrong by half of
    their sum of squares; both over 16 patches of 4 pixels, of which an error of 1 is 2 nats each.
    """
    one = batch(streams=IMAGE)
    for beta in (0.0, 1.0, 4.0):
        task = build({"name": "vae", "beta": beta, "latent": 2}, IMAGE)
        say(task)
        with torch.no_grad():
            for part, value in ((task.mean, 1.0), (task.spread, 0.0)):
                part.weight.zero_()
                part.bias.fill_(value)
        pixels = one.inputs["image"].square().sum((1, 2, 3)).mean().item()
        assert task.loss(one, draw()).item() == pytest.approx((pixels / 2 + beta * 1.0) / (16 * 2), rel=1e-5)


def test_points_are_drawn_with_the_deviation_that_the_vector_gives() -> None:
    task, one, seen = build({"name": "vae", "latent": 8}, IMAGE), batch(100, IMAGE), []
    with torch.no_grad():
        for part, value in ((task.mean, 3.0), (task.spread, math.log(4.0))):
            part.weight.zero_()
            part.bias.fill_(value)
    task.whole.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    task.loss(one, draw(1))
    assert seen[0].mean().item() == pytest.approx(3.0, abs=0.3) and seen[0].std().item() == pytest.approx(2.0, rel=0.1)
    noise = torch.randn(100, 8, generator=draw(1))
    torch.testing.assert_close(seen[0], 3.0 + 2.0 * noise)


def test_encoder_and_discriminator_each_have_their_own_gradient() -> None:
    """The discriminator's is that of its own loss; the encoder has none of that, and the decoder none of either."""
    task, one = build("adversarial", IMAGE).train(), batch(streams=IMAGE)
    task.loss(one, draw()).backward()
    found = {name: w.grad for name, w in task.named_parameters() if w.grad is not None}
    task.zero_grad()
    points = task.points(one.inputs["image"])
    task.telling(points.detach(), torch.randn(points.shape, generator=draw())).backward()
    own = {name: w.grad.clone() for name, w in task.named_parameters() if w.grad is not None}
    assert own and all(name.startswith("tell.") for name in own)
    for name, gradient in own.items():
        torch.testing.assert_close(found[name], gradient)
    assert any(name.startswith("encoder.") for name in found) and any(name.startswith("decode.") for name in found)


def test_the_discriminators_opinion_moves_the_encoder_as_far_as_it_weighs() -> None:
    one = batch(streams=IMAGE)

    def moved(weight: float) -> Tensor:
        task = build({"name": "adversarial", "weight": weight}, IMAGE).train()
        task.loss(one, draw()).backward()
        return torch.cat([w.grad.flatten() for w in task.encoder.parameters() if w.grad is not None])

    plain, once, twice = moved(0.0), moved(1.0), moved(2.0)
    assert (once - plain).norm() > 1e-4
    torch.testing.assert_close(twice - plain, 2 * (once - plain), atol=1e-6, rtol=1e-3)


def test_a_slope_of_the_discriminator_is_paid_for() -> None:
    """A discriminator x -> 3 x[0]: half of the square of 3, times the penalty, besides the cross-entropies."""
    values = []
    for penalty in (0.0, 1.0, 2.0):
        task = build({"name": "adversarial", "latent": 4, "penalty": penalty}, IMAGE)
        task.tell = torch.nn.Linear(4, 1)
        with torch.no_grad():
            task.tell.weight.copy_(torch.tensor([[3.0, 0.0, 0.0, 0.0]]))
            task.tell.bias.zero_()
        values.append(task.telling(torch.zeros(5, 4), torch.zeros(5, 4)).item())
    assert values == pytest.approx([2 * math.log(2), 2 * math.log(2) + 4.5, 2 * math.log(2) + 9.0])


def test_the_adversarial_score_is_the_error_alone() -> None:
    task, one = build("adversarial", IMAGE).eval(), batch(streams=IMAGE)
    say(task)
    assert task.score(one).item() == pytest.approx(one.inputs["image"].square().mean().item(), rel=1e-5)


def test_adversarial_training_is_stable_over_ten_seeds() -> None:
    """Pictures that are one of two: each seed makes at least half of them again, its points neither shrink nor fly
    apart, and no step is much worse than the first.
    """
    two = torch.randn(2, *SPECS["image"].shape, generator=draw(5))
    for seed in range(10):
        task = build({"name": "adversarial", "latent": 4}, IMAGE, seed=seed).train()
        optimizer, generator = torch.optim.Adam(task.parameters(), 1e-2), draw(seed)
        one, losses = batch(16, IMAGE), list[float]()
        for _ in range(60):
            chosen = torch.randint(2, (16,), generator=generator)
            one.inputs["image"] = two[chosen] + 0.1 * torch.randn(16, 1, 8, 8, generator=generator)
            loss = task.loss(one, generator)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        task.eval()
        with torch.no_grad():
            points = task.points(one.inputs["image"])
            assert task.score(one).item() < 0.5 * one.inputs["image"].square().mean().item(), seed
        assert max(losses) < losses[0] + 0.5, seed
        assert points.mean().abs() < 0.6 and 0.6 < points.std() < 1.6, seed


def test_a_batch_of_one_sample_has_no_deviation_and_is_trained_on_all_the_same() -> None:
    assert build("adversarial", IMAGE).train().loss(batch(1, IMAGE), draw()).isfinite()
