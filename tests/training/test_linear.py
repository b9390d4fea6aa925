import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression

from tests import networks
from trivium.training.linear import fit, fit_probe

CLASSES = 3
TASK = networks.task(CLASSES)


def world(rows, seed, sure=2.0):
    """Two dense streams that say the class, one that says nothing, all three present in most rows."""
    rng = np.random.default_rng(seed)
    y = rng.integers(CLASSES, size=rows)
    streams = {s: rng.normal(0, 1, (rows, 4)) + strength * np.eye(4)[y]
               for s, strength in (("a", sure), ("b", sure), ("noise", 0))}
    return streams, {s: rng.random(rows) < 0.9 for s in streams}, y


def fitted(names, train=None, val=None, **changes):
    (x, here, y), (x_val, here_val, y_val) = train or world(300, 0), val or world(200, 1)
    take = lambda of: {s: of[s] for s in names}  # noqa: E731
    return fit(take(x), take(here), y, take(x_val), take(here_val), y_val, TASK, **changes)


def test_a_probe_on_vectors_that_hold_the_label_is_perfect():
    y, y_val = np.arange(60) % 3, np.arange(30) % 3
    probe = fit_probe(np.eye(4)[y], y, np.eye(4)[y_val], y_val, TASK)
    assert ((np.eye(4)[y_val] @ probe.weight.T + probe.bias).argmax(1) == y_val).all() and probe.nll < 1e-3
    assert probe.weight.shape == (3, 4) and probe.bias.shape == (3,) and probe.weight.dtype == np.float32
    sparse = fit_probe(csr_array(np.eye(4)[y]), y, csr_array(np.eye(4)[y_val]), y_val, TASK)
    assert ((np.eye(4)[y_val] @ sparse.weight.T + sparse.bias).argmax(1) == y_val).all()


def test_a_probe_is_as_good_as_scikit_learns():
    (x, _, y), (x_val, _, y_val) = world(300, 0), world(400, 1)
    probe = fit_probe(x["a"], y, x_val["a"], y_val, TASK)
    theirs = max(LogisticRegression(C=c).fit(x["a"], y).score(x_val["a"], y_val) for c in (0.01, 0.1, 1, 10))
    assert ((x_val["a"] @ probe.weight.T + probe.bias).argmax(1) == y_val).mean() == pytest.approx(theirs, abs=0.01)


def test_every_way_is_tried_and_the_best_on_validation_is_kept():
    found = fitted(("a", "b", "noise"))
    assert [(tried.way, tried.streams) for tried in found.tried] == [
        ("mean", ("a",)), ("mean", ("b",)), ("mean", ("noise",)), ("mean", ("a", "b", "noise")),
        ("concatenation", ("a", "b", "noise"))]
    alone, _, noise, mean, joint = found.tried
    assert noise.nll == pytest.approx(np.log(3), abs=0.03) and noise.nll > alone.nll > mean.nll
    assert found.chosen is min(found.tried, key=lambda tried: tried.nll) and found.chosen.nll <= joint.nll
    assert found.chosen.way == found.answer.way and tuple(found.answer.weights) == found.chosen.streams
    assert found.nothing == pytest.approx(np.log(np.bincount(world(300, 0)[2]) / 300), abs=1e-6)


def test_a_stream_alone_where_another_promises_what_it_does_not_hold():
    (x, _, y), (x_val, _, y_val) = world(300, 0), world(400, 1)
    rng = np.random.default_rng(2)
    lure = np.eye(4)[y] + rng.normal(0, 0.4, (300, 4)), rng.normal(size=(400, 4))
    every = {s: np.ones(300, bool) for s in "an"}, {s: np.ones(400, bool) for s in "an"}
    found = fit({"a": x["a"], "n": lure[0]}, every[0], y, {"a": x_val["a"], "n": lure[1]}, every[1], y_val, TASK)
    assert found.chosen.streams == ("a",) and not found.answer.intercept.any()
    assert found.tried[3].way == "concatenation" and found.tried[3].nll > 1.5 * found.chosen.nll


def test_all_tried_is_paid_for():
    one, other, both = fitted(("a",)), fitted(("b",)), fitted(("a", "b"))
    assert both.iterations > one.iterations + other.iterations
    assert both.flops > one.flops + other.flops
    here = world(300, 0)[1]
    assert one.flops == 6 * here["a"].sum() * 4 * CLASSES * one.iterations


def test_what_stands_where_a_stream_is_absent_changes_nothing():
    def spoiled(rows, seed, by):
        x, here, y = world(rows, seed)
        return {s: np.where(here[s][:, None], x[s], by) for s in x}, here, y

    one, two = (fitted(("a", "b"), spoiled(300, 0, by), spoiled(200, 1, by)) for by in (0.0, 1e6))
    assert [w.tobytes() for w in one.answer.weights.values()] == [w.tobytes() for w in two.answer.weights.values()]
    assert one.tried == two.tried


def test_the_test_and_validation_sets_do_not_shape_the_statistics():
    train, val = world(300, 0), world(200, 1)
    moved = {s: x * 1.0 for s, x in val[0].items()}
    moved["a"][0] += 1e3
    one, two = (fitted(("a",), train, at, strengths=(1e-2,)) for at in (val, (moved, *val[1:])))
    ratio = one.answer.weights["a"] / two.answer.weights["a"]  # the temperature alone may differ
    assert ratio == pytest.approx(ratio[0, 0], rel=1e-5)


def test_streams_that_nothing_can_be_learned_from_are_left_out():
    x, here, y = world(300, 0)
    val = world(200, 1)
    never = {**here, "b": here["b"] & False}
    found = fit(x, never, y, *val, TASK)
    assert {tried.streams for tried in found.tried} == {("a",), ("noise",), ("a", "noise")}
    with pytest.raises(ValueError, match="no stream"):
        fit({"b": x["b"]}, {"b": never["b"]}, y, {"b": val[0]["b"]}, {"b": val[1]["b"]}, val[2], TASK)


def test_a_class_that_train_lacks_costs_its_floor():
    (x, here, y), (x_val, here_val, y_val) = world(300, 0), world(200, 1)
    y_val[:2] = 3
    found = fit(x, here, y, x_val, here_val, y_val, networks.task(4))
    assert found.nothing[3] == pytest.approx(-27.63, abs=0.01)
    rest = fit(x, here, y, *({s: of[s][2:] for s in of} for of in (x_val, here_val)), y_val[2:],
               networks.task(4))
    assert found.chosen.nll == pytest.approx((rest.chosen.nll * 198 + 2 * 27.631) / 200, abs=1e-3)
