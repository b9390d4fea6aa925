"""Masking across streams: who hears whom, and what can be learned of it."""

import pytest
import torch

from tests.objectives.streams import batch, build, draw
from trivium.data.store import Batch

BOTH = ("image", "wave")


def test_without_other_streams_it_is_the_mean_of_masked_on_each() -> None:
    task, one = build("crossmasked", BOTH), batch(streams=BOTH)
    with torch.no_grad():
        for told in task.tell.parameters():
            told.zero_()
    expected, generator = [], draw(3)
    for s in BOTH:
        alone = build("masked", (s,), among=BOTH)
        alone.load_state_dict(task.parts[s].state_dict())
        expected.append(alone.loss(one, generator).item())
    assert task.loss(one, draw(3)).item() == pytest.approx(sum(expected) / 2, rel=1e-5)


def test_a_stream_that_is_there_is_heard_by_the_others() -> None:
    task, one = build("crossmasked", BOTH), batch(streams=BOTH)
    for s in BOTH:
        changed = Batch(one.inputs | {s: one.inputs[s] + 1.0}, one.present, one.y)
        other = next(o for o in BOTH if o != s)
        heard, guesses = task.parts[other], []
        handle = heard.decode.register_forward_pre_hook(lambda _, given, to=guesses: to.append(given[0]))
        for each in (one, changed):
            task.loss(each, draw(1))
        handle.remove()
        assert not torch.allclose(*guesses)


def test_what_one_stream_says_of_another_is_learned() -> None:
    """A picture is bright or dark all over, and the sound loud or silent with it; most of both is hidden. Error of
    pictures whose own part that is left says nothing, with the sound and without.
    """
    task, generator = build({"name": "crossmasked", "mask": 0.9}, BOTH), draw(0)
    optimizer = torch.optim.Adam(task.parameters(), 1e-2)
    for _ in range(50):
        sign = torch.randint(2, (32,), generator=generator) * 2.0 - 1
        inputs = {"image": sign.view(-1, 1, 1, 1).expand(-1, 1, 8, 8).clone(),
                  "wave": sign.view(-1, 1, 1).expand(-1, 1, 128).clone()}
        one = Batch(inputs, torch.ones(32, 2, dtype=torch.bool), torch.zeros(32, dtype=torch.int64))
        task.loss(one, generator).backward()
        optimizer.step()
        optimizer.zero_grad()
    part = task.parts["image"]
    with torch.no_grad():
        blank = torch.zeros(32, 1, 8, 8)
        tokens = part.encoder.tokens(blank)
        own = part.whole(part.encoder.pool(tokens, blank))
        wave = task.parts["wave"].encoder(one.inputs["wave"])
        guess = part.decode(tokens + (own + task.tell["image"]["wave"](wave)).unsqueeze(1))
    assert ((guess.mean((1, 2)) > 0) == (one.inputs["image"][:, 0, 0, 0] > 0)).float().mean() > 0.95
