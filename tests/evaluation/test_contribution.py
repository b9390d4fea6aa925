"""Shapley values of games and models that are small enough to know them."""

import numpy as np
import pytest
import torch

from tests.evaluation import toys
from trivium.evaluation.contribution import contribution, sampled, shapley, subsets

BITS = torch.randint(2, (3, 4000), generator=torch.Generator().manual_seed(0))


def test_the_glove_game() -> None:
    """A left glove and either of two right ones make a pair: 2/3, 1/6, 1/6."""
    def value(s: tuple[str, ...]) -> np.ndarray:
        return np.array([float("left" in s and len(s) > 1)])

    found = shapley(("left", "right", "other"), value)
    phi = {player: float(value[0]) for player, value in found.items()}
    assert phi == pytest.approx({"left": 2 / 3, "right": 1 / 6, "other": 1 / 6})


def test_only_what_is_used_contributes() -> None:
    model = toys.Toy(["text", "image"], lambda v: toys.sure(v["text"][:, 0]), ["no", "yes"])
    found = contribution(model, toys.batch(BITS[0], text=BITS[0], image=BITS[1]))
    assert found.score["image"] == 0.0
    assert found.score["text"] == pytest.approx(0.5, abs=0.01)
    assert found.subsets["text"].score == found.subsets["text+image"].score == 1.0
    assert found.parts["yes"]["text"] == pytest.approx(0.5, abs=0.03)


def test_exclusive_or_is_shared_evenly() -> None:
    model = toys.Toy(["text", "image", "audio"], lambda v: toys.sure(v["text"][:, 0] != v["image"][:, 0]),
                     ["same", "different"])
    batch = toys.batch(BITS[0] ^ BITS[1], text=BITS[0], image=BITS[1], audio=BITS[2])
    found = contribution(model, batch)
    assert found.score == pytest.approx({"text": 0.25, "image": 0.25, "audio": 0.0}, abs=0.01)
    assert found.subsets["text+audio"].score == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("kind", ["score", "log_probability"])
def test_contributions_add_up_to_all_less_nothing(kind: str) -> None:
    torch.manual_seed(0)
    weight = torch.randn(3, 4)
    model = toys.Toy(["text", "image", "audio"], lambda v: torch.cat(list(v.values()), 1) @ weight, "abcd")
    batch = toys.batch(torch.arange(300) % 4, text=torch.randn(300), image=torch.randn(300), audio=torch.randn(300))
    batch.present[::3, 1] = False
    found = contribution(model, batch)
    assert sum(getattr(found, kind).values()) == pytest.approx(
        getattr(found.subsets["text+image+audio"], kind) - getattr(found.subsets["none"], kind))


def test_each_class_has_contributions_of_its_own() -> None:
    """Two samples, so that the other one stands in for what is absent. Text says 0 of the first and 2 of the second,
    whose label is 1: only the first needs its own text.
    """
    y, text = torch.tensor([0, 1]), torch.tensor([0, 2])
    model = toys.Toy(["text"], lambda v: 0.1 * toys.sure(v["text"][:, 0], 3), "abc")
    found = contribution(model, toys.batch(y, text=text))
    assert found.score == {"text": 0.5}
    assert found.parts == {"a": {"text": 1.0}, "b": {"text": 0.0}}
    # softmax of (2, 0, 0): the first says e^2 / (e^2 + 2) = 0.787 or 0.107 of its label, the second 0.107 both times
    assert found.subsets["text"].log_probability == pytest.approx((-0.23954 - 2.23954) / 2, abs=1e-5)
    assert found.subsets["none"].log_probability == pytest.approx(-2.23954, abs=1e-5)
    assert found.log_probability["text"] == pytest.approx(1.0)


def test_a_class_without_samples_is_left_out() -> None:
    model = toys.Toy(["text"], lambda v: toys.sure(v["text"][:, 0], 3), "abc")
    found = contribution(model, toys.batch(BITS[0], text=BITS[0]))
    assert list(found.parts) == ["a", "b"]


def test_sampled_orders_are_near_the_exact_values_and_add_up() -> None:
    """A game of nine: a sum of own values, and 1 more for the first two together."""
    players = tuple("abcdefghi")
    own = dict(zip(players, range(9), strict=True))

    def value(s: tuple[str, ...]) -> np.ndarray:
        return np.array([float(sum(own[p] for p in s)) + ("a" in s and "b" in s)])

    found = {player: float(phi[0]) for player, phi in sampled(players, value).items()}
    assert found == pytest.approx({p: own[p] + 0.5 * (p in "ab") for p in players})  # reversed orders settle pairs
    assert sum(found.values()) == pytest.approx(37.0)


def test_ten_streams_are_not_asked_for_a_thousand_subsets() -> None:
    """The label is a majority of three streams; seven others are noise."""
    names = [f"s{k}" for k in range(10)]
    bits = torch.randint(2, (10, 300), generator=torch.Generator().manual_seed(1))
    y = (bits[:3].sum(0) > 1).long()
    model = toys.Toy(names, lambda v: toys.sure(sum(v[s][:, 0] for s in names[:3]) > 1.5))
    found = contribution(model, toys.batch(y, **dict(zip(names, bits, strict=True))))
    assert len(found.subsets) < 250 and {"none", "+".join(names)} <= set(found.subsets)
    assert sum(found.score.values()) == pytest.approx(1 - found.subsets["none"].score)
    assert [found.score[s] for s in names[:3]] == pytest.approx([1 / 6] * 3, abs=0.06)
    assert all(found.score[s] == 0.0 for s in names[3:])
    assert len(list(subsets(names))) == 1 + 10 + 45 + 10 + 1
