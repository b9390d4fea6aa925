"""Unequal classes: rows that weigh more, that come more often, or that are made up."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch

from tests.tiny_media import write_aligned, write_features
from tests.training import tiny
from tests.training.test_fused import project, train
from trivium.data.store import Batch, Store
from trivium.strategies.base import TOP, Phase, Plan
from trivium.training import balance, feed
from trivium.training.feed import Feed

Y = np.array([0] * 7 + [1] * 2 + [3])  # no row of class 2
FROZEN = Plan("fusion", "concat", (Phase("head", 1.0, 0.01, TOP),))


def numbered(how: str, keep: np.ndarray | None = None, weight: torch.Tensor | None = None) -> Feed:
    """Samples that carry their own number as label."""
    y = torch.arange(10)
    made = Feed(Batch({"x": y.float().unsqueeze(1)}, torch.ones(10, 1, dtype=torch.bool), y, weight=weight),
                np.arange(10), seed=1, keep=keep)
    return balance.apply(made, how, Y)


def shown(of: Feed, batch: int = 5, start: int = 0, stop: int = 400) -> list[int]:
    return [int(k) for one in of.training(batch, start, stop) for k in one.y]


def test_all_classes_weigh_the_same() -> None:
    assert balance.weights(Y).tolist() == pytest.approx([10 / 21] * 7 + [10 / 6] * 2 + [10 / 3])
    one = next(numbered("weights").training(10, 0, 1))
    assert one.weight is not None and one.weight.tolist() == pytest.approx(balance.weights(Y)[one.y].tolist())
    own = torch.arange(1.0, 11.0)
    both = next(numbered("weights", weight=own).training(10, 0, 1))
    assert both.weight is not None
    torch.testing.assert_close(both.weight, own[both.y] * torch.from_numpy(balance.weights(Y))[both.y])
    assert next(numbered("weights").once(10)).weight is None  # what is measured counts as it is
    assert shown(numbered("weights")) == shown(numbered("none"))
    assert next(numbered("none").training(10, 0, 1)).weight is None


def test_equal_classes_all_weigh_1() -> None:
    assert balance.weights(np.array([0, 1, 2, 2, 1, 0])).tolist() == [1.0] * 6


def test_all_classes_come_equally_often() -> None:
    found = Y[shown(numbered("sampling"))]
    assert np.bincount(found, minlength=4) / len(found) == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3], abs=0.03)
    assert sorted(set(shown(numbered("sampling")))) == list(range(10))
    assert next(numbered("sampling").once(10)).y.tolist() == list(range(10))


def test_a_stream_of_draws_goes_on_where_it_stopped_and_is_the_same_for_one_stream_and_for_all(
        monkeypatch: MonkeyPatch) -> None:
    whole = shown(numbered("sampling"), 3, 0, 20)
    monkeypatch.setattr(feed, "GATHERED", 0)
    assert shown(numbered("sampling"), 3, 7, 20) == whole[21:]
    keep = np.array([k % 2 == 0 for k in range(10)])
    some = numbered("sampling", keep)
    for epoch in range(20):
        every, mine = numbered("sampling")._epoch(epoch).tolist(), some._epoch(epoch).tolist()
        assert len(mine) == 5 and all(keep[mine])
        expected = [k for k in every if keep[k]]
        shorter = min(len(expected), 5)
        assert mine[:shorter] == expected[:shorter]  # the draws of all, but for those that lack the stream


def encoded(present: torch.Tensor) -> Feed:
    """Vectors of two streams, the second ten times the first; class 1 lies around (5, 5)."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(10, 2, generator=draw) + 5 * torch.from_numpy(Y == 1).unsqueeze(1)
    return Feed(Batch({"text": x, "image": 10 * x}, present, torch.from_numpy(Y), encoded=True), 100 + np.arange(10), 3)


def test_new_samples_lie_between_neighbours_of_their_class_in_all_streams() -> None:
    made = balance.synthesised(encoded(torch.ones(10, 2, dtype=torch.bool)))
    known = made.memory
    assert known is not None and known.encoded
    assert np.bincount(known.y, minlength=4).tolist() == [7, 7, 0, 7] and len(made) == 21
    assert set(made.rows[10:]) <= {107, 108, 109}
    x = known.inputs["text"]
    torch.testing.assert_close(known.inputs["image"], 10 * x)
    first, second = x[7], x[8]
    for new in x[10:][known.y[10:] == 1]:  # on the line between the two there are
        share = (new - first)[0] / (second - first)[0]
        torch.testing.assert_close(new, first + share * (second - first), rtol=1e-4, atol=1e-4)
        assert -1e-5 <= share <= 1 + 1e-5
    assert len({round(value, 5) for value in x[10:][known.y[10:] == 1][:, 0].tolist()}) == 5
    assert all(torch.equal(new, x[9]) for new in x[10:][known.y[10:] == 3])  # it has no neighbour
    again = balance.synthesised(encoded(torch.ones(10, 2, dtype=torch.bool))).memory
    assert again is not None and torch.equal(again.inputs["text"], x)


def test_neighbours_have_the_same_streams() -> None:
    present = torch.ones(10, 2, dtype=torch.bool)
    present[7, 1] = False  # so the two of class 1 are not alike
    known = balance.synthesised(encoded(present)).memory
    assert known is not None
    for k in range(10, 21):
        if known.y[k] == 1:
            source = 7 if not known.present[k, 1] else 8
            assert torch.equal(known.inputs["text"][k], known.inputs["text"][source])


def test_what_distances_cost() -> None:
    assert balance.cost([7, 2, 0, 1], 4) == 3 * 4 * (4 + 1) and balance.cost([5, 5], 4) == 0


def skewed(monkeypatch: MonkeyPatch) -> None:
    """Of the 12 train rows of seed 0, three are of class 1."""
    opened = Store.__init__

    def opens(store: Store, *given: object) -> None:
        opened(store, *given)  # type: ignore[arg-type]
        store._y = np.concatenate([[0] * 9 + [1] * 3, store._y[12:]])

    monkeypatch.setattr(Store, "__init__", opens)


@pytest.mark.parametrize("how", ["weights", "sampling", "synthesis"])
def test_a_strategy_on_cached_vectors(tmp_path: Path, monkeypatch: MonkeyPatch, how: str) -> None:
    project(tmp_path, monkeypatch, "supervised")
    skewed(monkeypatch)
    plain, _ = train(FROZEN, "supervised", "plain")
    found, one = train(FROZEN, "supervised", "one", balance=how)
    _, two = train(FROZEN, "supervised", "two", balance=how)
    assert found.history[0].val_nll == plain.history[0].val_nll and found.history[1].val_nll != plain.history[1].val_nll
    paid = balance.cost([9, 3], 48) if how == "synthesis" else 0.0
    assert found.history[0].flops == plain.history[0].flops + paid and found.history[-1].step == plain.history[-1].step
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))


def test_recipes_with_labels_are_balanced_and_others_are_not(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    skewed(monkeypatch)
    for name, differs in (("supervised", True), ("selfsup", False)):
        plain, found = (tiny.pretrained(tiny.recipe(name), tiny.LOOP.model_copy(update={"balance": how}))
                        for how in ("none", "weights"))
        assert (plain[0]["history"] != found[0]["history"]) == differs


def test_what_does_not_fit_into_memory_weighs_the_same(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    write_aligned(tmp_path)
    write_features(tmp_path)
    store = Store("scratch", tmp_path)
    rows, found = store.rows(0, "train"), []
    for limit in (feed.IN_MEMORY, 0):
        monkeypatch.setattr(feed, "IN_MEMORY", limit)
        made = balance.apply(Feed(store, rows, 0, only=["audio"]), "weights", np.array([0] * 9 + [1] * 3))
        found.append(torch.cat([one.weight for one in made.training(4, 0, 5) if one.weight is not None]))
    assert torch.equal(*found) and len(found[0]) == 20
