"""What holds for every objective that a recipe may name, on every sort of input."""

import pytest
import torch

from tests.objectives.streams import SPECS, batch, build, draw
from trivium import objectives
from trivium.data.store import Batch
from trivium.training import budget

TOGETHER = [name for name in objectives.names() if objectives.get(name, "").TOGETHER]
ALONE = [name for name in objectives.names() if name not in TOGETHER]
UNLABELLED = [name for name in objectives.names() if not objectives.get(name, "").LABELS]


def streams(name: str) -> list[tuple[str, ...]]:
    return [tuple(SPECS)] if name in TOGETHER else [(s,) for s in SPECS]


def test_those_that_there_are() -> None:
    assert objectives.names() == ("adversarial", "align", "crossmasked", "denoising", "masked", "siglip", "simclr",
                                  "supervised", "vae")
    assert TOGETHER == ["align", "crossmasked", "siglip"]


@pytest.mark.parametrize("name", objectives.names())
def test_every_encoder_is_moved_and_left_behind(name: str) -> None:
    for group in streams(name):
        task = build(name, group).train()
        loss = task.loss(batch(streams=group), draw())
        loss.backward()
        assert loss.shape == () and loss.isfinite()
        components = task.encoders if not task.labels else {group[0]: task.encoder}
        assert tuple(components) == group
        for encoder in components.values():
            assert sum(w.grad.abs().sum() for w in encoder.parameters() if w.grad is not None) > 0, group


@pytest.mark.parametrize("name", UNLABELLED)
def test_the_generator_says_all_that_is_drawn_and_the_score_is_the_same_each_time(name: str) -> None:
    for group in streams(name):
        task, one = build(name, group).eval(), batch(streams=group)
        first, again, other = (task.loss(one, draw(seed)).item() for seed in (1, 1, 2))
        assert first == again
        assert (first == other) == (name in ("align", "siglip"))  # which draw nothing
        torch.rand(5)
        with torch.no_grad():
            assert task.score(one).item() == task.score(one).item()


@pytest.mark.parametrize("name", objectives.names())
def test_the_counters_of_the_budget_know_every_operator(name: str) -> None:
    """And an objective costs what its encoders do, at the least."""
    for group in streams(name):
        task, one = build(name, group), batch(budget.PROBE, group)
        components = task.encoders if not task.labels else {group[0]: task.encoder}
        alone = sum(budget.counted(lambda s=s, part=part, one=one: part(one.inputs[s]).square().sum(), module=part)
                    for s, part in components.items())
        cost = budget.counted(lambda task=task, one=one: task.loss(one, draw()), module=task)
        assert cost >= alone > 0
        assert cost < 30 * alone


@pytest.mark.parametrize("name", TOGETHER)
def test_what_stands_in_for_an_absent_stream_changes_nothing(name: str) -> None:
    group = ("text", "image", "wave")
    one = batch(streams=group)
    one.present[:5, 1] = one.present[3:9, 2] = False
    strange = {s: x.clone() for s, x in one.inputs.items()}
    strange["image"][:5], strange["wave"][3:9] = torch.nan, torch.inf
    found = []
    for inputs in (one.inputs, strange):
        task = build(name, group)
        loss = task.loss(Batch(inputs, one.present, one.y), draw())
        loss.backward()
        found.append((loss, torch.cat([w.grad.flatten() for w in task.parameters() if w.grad is not None])))
    assert found[0][0].isfinite() and torch.equal(found[0][0], found[1][0])
    assert found[0][1].isfinite().all() and torch.equal(found[0][1], found[1][1])


@pytest.mark.parametrize("name", TOGETHER)
def test_a_batch_without_any_stream_has_a_loss_of_nothing(name: str) -> None:
    group = ("text", "image")
    one = batch(streams=group)
    task = build(name, group)
    loss = task.loss(Batch(one.inputs, torch.zeros_like(one.present), one.y), draw())
    loss.backward()
    assert loss.item() == 0.0


@pytest.mark.parametrize("name", [name for name in ALONE if name in UNLABELLED])
def test_a_stream_may_be_one_of_several(name: str) -> None:
    task = build(name, ("image",), among=("text", "image"))
    one = batch(streams=("text", "image"))
    assert task.loss(one, draw()).item() == build(name, ("image",)).loss(one, draw()).item()
