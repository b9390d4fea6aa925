"""Contrastive objectives by hand."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from tests.objectives.streams import batch, build, draw
from trivium.objectives.siglip import judged
from trivium.objectives.simclr import contrast


@pytest.mark.parametrize("samples", [1, 2, 8])
def test_nt_xent_of_samples_that_cannot_be_told_apart_is_ln_2n_minus_1(samples: int) -> None:
    views = torch.ones(2 * samples, 4) / 2
    assert contrast(views, 0.1).item() == pytest.approx(math.log(2 * samples - 1), abs=1e-5)


def test_nt_xent_by_hand() -> None:
    """Two samples, views at right angles or the same; temperature 1/2. Each view has its partner at similarity 2, and
    two others at 0: ln(1 + 2 e^-2).
    """
    one, other = [1.0, 0.0], [0.0, 1.0]
    assert contrast(torch.tensor([one, other, one, other]), 0.5).item() == pytest.approx(
        math.log(1 + 2 * math.exp(-2)), rel=1e-5)
    # partners at right angles, each the same as a view of the other sample: ln(e^2 + 2) - 0
    assert contrast(torch.tensor([one, other, other, one]), 0.5).item() == pytest.approx(
        math.log(math.exp(2) + 2), rel=1e-5)


def test_views_differ_by_what_is_drawn_and_share_the_rest() -> None:
    task, one = build({"name": "simclr", "mask": 0.5}, ("text",)), batch(200, ("text",))
    x, generator = one.inputs["text"], draw()
    first, second = task.view(x, generator), task.view(x, generator)
    assert not torch.equal(first, second)
    for view in (first, second):
        assert torch.equal(view[view != 2], x[view != 2])
        assert (view == 2).float().mean().item() == pytest.approx(0.55, abs=0.03)  # 1 - 0.5 x 0.9: `augment` hides some
    assert ((first == 2) & (second == 2)).float().mean().item() == pytest.approx(0.55 ** 2, abs=0.03)


def test_without_a_mask_the_views_are_the_modalitys_own() -> None:
    task, one = build({"name": "simclr", "mask": 0.0}, ("wave",)), batch(4, ("wave",))
    x = one.inputs["wave"]
    view = task.view(x, draw(1))
    assert not torch.equal(view, x)
    assert any(torch.equal(view, torch.roll(x, k, 2)) for k in range(-12, 13))


def test_the_sigmoid_loss_by_hand() -> None:
    """Of two samples: own partners at logits 1 and 2, the others at -1 and 0."""
    logits = torch.tensor([[1.0, -1.0], [0.0, 2.0]])
    terms = [math.log(1 + math.exp(-v)) for v in (1.0, 1.0, 0.0, 2.0)]
    assert judged(logits).item() == pytest.approx(sum(terms) / 2, rel=1e-6)


def all_alike(task: Any) -> None:
    """Vectors are the same, whatever the sample and the stream."""
    with torch.no_grad():
        for part in task.project.values():
            part.weight.zero_()
            part.weight[0] = 1.0
    for part in task.encoders.values():
        part.forward = lambda x, d=part.width: torch.ones(len(x), d)


def test_the_sigmoid_loss_at_its_start() -> None:
    """Vectors that are all the same: each of N^2 pairs has the logit 10 - 10 = 0, hence N ln 2."""
    task, one = build("siglip", ("image", "wave")), batch(8, ("image", "wave"))
    all_alike(task)
    assert task.loss(one, draw()).item() == pytest.approx(8 * math.log(2), rel=1e-4)
    task.loss(one, draw()).backward()
    assert task.sharpness.grad.abs() > 0 and task.shift.grad.abs() > 0


@pytest.mark.parametrize("name", ["align", "siglip"])
def test_a_pair_of_streams_needs_two_samples_that_have_both(name: str) -> None:
    """Streams of three: text and image meet in rows 0-3, and nothing meets the sound, which only row 9 has."""
    group = ("text", "image", "wave")
    one, two = batch(10, group), batch(10, group[:2])
    one.present[:] = False
    one.present[:4, :2] = True
    one.present[9, 2] = True
    both, pair = build(name, group), build(name, group[:2])
    pair.load_state_dict({key: value for key, value in both.state_dict().items() if "wave" not in key})
    assert both.loss(one, draw()).item() == pytest.approx(pair.loss(two[:4], draw()).item(), rel=1e-5)


def test_the_sigmoid_loss_is_validated_in_batches_of_trainings_size() -> None:
    """At its start it is N ln 2 of N samples at a time: 96 of them in batches of 8 say 8 ln 2, and not 96 ln 2."""
    from trivium.machine import device
    from trivium.training.feed import Feed
    from trivium.training.loop import Schedule, fit
    from trivium.training.settings import Loop

    task, one = build("siglip", ("image", "wave")), batch(96, ("image", "wave"))
    all_alike(task)
    feeds = [Feed(one, np.arange(96), 0) for _ in range(2)]
    loop = Loop(batch=8, weight_decay=0.0, warmup=0.1, clip=1.0, evaluations=1, augment=False, device="cpu", workers=1)
    history = fit(task, *feeds, Schedule(1, 8, 0.0), loop, device.prepare("cpu"), 0)
    assert history[0]["val_nll"] == pytest.approx(8 * math.log(2), rel=1e-4)
