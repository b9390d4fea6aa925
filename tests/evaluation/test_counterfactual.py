"""Streams of other samples: models that follow one stream, none, or both a part of the way; who has a partner."""

import numpy as np
import pytest
import torch

from tests.evaluation import toys
from trivium.evaluation.counterfactual import followed, measure, pairs
from trivium.models.network import Model
from trivium.tasks.classification import Classification
from trivium.tasks.multilabel import MultiLabel
from trivium.tasks.regression import Regression

Y = torch.arange(90) % 3
NAMES = [f"s{k}" for k in range(90)]
TASK = Classification("abc")


class Sum(Model):
    """Says a number that is a mix of two streams."""

    def __init__(self, task: Regression, text: float, image: float) -> None:
        super().__init__(task)
        self.streams, self.mix = ("text", "image"), (text, image)
        self.readers_of = {s: toys.Leaf() for s in self.streams}

    @property
    def readers(self):
        return self.readers_of

    def answer(self, vectors, present):
        mean = self.mix[0] * vectors["text"] + self.mix[1] * vectors["image"]
        return torch.cat([mean, torch.zeros_like(mean)], 1)


def test_an_answer_follows_the_stream_that_it_is_read_from() -> None:
    model = toys.Toy(["text", "image"], lambda v: toys.sure(v["text"][:, 0], 3), "abc")
    found = measure(model, toys.batch(Y, text=Y, image=Y), NAMES)
    text, image = found.streams["text"], found.streams["image"]
    assert (text.follows, text.moved, text.pairs, text.unlike, text.error) == (1.0, 1.0, 90, 90, 0.0)
    assert (image.follows, image.moved, image.pairs, image.unlike) == (0.0, 0.0, 90, 90)
    one = found.samples[0]
    assert one.stream == "text" and one.before != one.after == one.other_answer and one.follows == 1.0
    assert one.label != one.other_label and one.label in one.before
    other = next(swap for swap in found.samples if swap.stream == "image")
    assert other.before == other.after and other.follows == 0.0


def test_a_stream_is_followed_into_a_mistake() -> None:
    """The model calls every a a b, and the other way round."""
    model = toys.Toy(["text"], lambda v: toys.sure(1 - v["text"][:, 0]), "ab")
    y = torch.arange(40) % 2
    assert measure(model, toys.batch(y, text=y), NAMES).streams["text"].follows == 1.0


def test_who_always_says_the_same_follows_nothing_that_could_be_told() -> None:
    model = toys.Toy(["text"], lambda v: toys.sure(torch.zeros(len(v["text"])), 3), "abc")
    found = measure(model, toys.batch(Y, text=Y), NAMES)
    assert found.streams["text"].follows is None and found.streams["text"].moved == 0.0 and found.samples == []


def test_numbers_go_so_far_as_the_stream_counts() -> None:
    task = Regression({"price": "EUR"}, mean=[0.0], deviation=[1.0])
    values = torch.linspace(1, 9, 90)[:, None]
    batch = toys.batch(values, text=values[:, 0], image=values[:, 0])
    found = measure(Sum(task, 0.75, 0.25), batch, NAMES).streams
    assert found["text"].follows == pytest.approx(0.75, abs=1e-5)
    assert found["image"].follows == pytest.approx(0.25, abs=1e-5)
    assert found["text"].moved == pytest.approx(3 * found["image"].moved, rel=0.2)  # partners are the same ones
    assert measure(Sum(task, 0.75, 0.25), batch, NAMES) == measure(Sum(task, 0.75, 0.25), batch, NAMES)


def test_tags_go_one_by_one() -> None:
    """Of four tags, one is heard in the text; `follows` counts tags."""
    task = MultiLabel(["a", "b", "c", "d"])
    y = np.array([[1, 1, 0, 0], [0, 0, 0, 0]])
    far, left, moved = task.gap(y[:1], y[1:]), task.gap(np.array([[0, 1, 0, 0]]), y[1:]), np.array([1.0])
    assert followed(far, left, moved).follows == 0.5


def test_partners_have_the_stream_and_another_target() -> None:
    y, there = Y.numpy(), np.arange(90) % 4 != 1
    rows, others = pairs(TASK, y, there)
    assert there[rows].all() and there[others].all() and (y[rows] != y[others]).all()
    assert rows.tolist() == np.flatnonzero(there).tolist()
    assert len(set(others.tolist())) > 40  # not a few that stand for all
    assert len(pairs(TASK, np.zeros(9, int), np.ones(9, bool))[0]) == 0
    assert len(pairs(TASK, y, np.zeros(90, bool))[0]) == 0


def test_who_lacks_a_stream_has_none_to_swap() -> None:
    model = toys.Toy(["text", "image"], lambda v: toys.sure(v["text"][:, 0], 3), "abc")
    batch = toys.batch(Y, text=Y, image=Y)
    batch.present[::3, 0] = False  # all of class a, which the model says of those without a text
    found = measure(model, batch, NAMES).streams
    assert found["text"].pairs == 60 and found["image"].pairs == 90 and found["text"].follows == 1.0


def test_the_error_is_that_of_a_share() -> None:
    """40 of 100 follow: sqrt(0.4 x 0.6 / 100). Pairs with the same answers do not count."""
    left = np.r_[np.zeros(40), np.ones(60), np.zeros(20), np.ones(30)]
    found = followed(np.r_[np.ones(100), np.zeros(50)], left, np.r_[np.ones(40), np.zeros(110)])
    assert found.follows == pytest.approx(0.4) and found.error == pytest.approx(0.0489898)
    assert (found.pairs, found.unlike, found.moved) == (150, 100, pytest.approx(40 / 150))
