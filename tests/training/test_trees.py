import numpy as np
import pytest
import torch

from tests.networks import task
from trivium.models.boosting import Trees
from trivium.tasks.regression import Regression
from trivium.training import linear, trees


def world(count, seed, classes=2):
    """Which of two columns are above 0 says the class together, and neither says anything alone."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(count, 4))
    y = ((x[:, 0] > 0) ^ (x[:, 1] > 0)).astype(np.int64) + (2 * (x[:, 2] > 0) if classes == 4 else 0)
    x[draw.random((count, 4)) < 0.05] = np.nan
    return x, y


@pytest.mark.parametrize("classes", [2, 3])
def test_our_trees_say_what_scikit_learn_s_do(classes):
    from sklearn.ensemble import HistGradientBoostingClassifier

    draw = np.random.default_rng(0)
    x = draw.normal(size=(400, 5))
    x[draw.random(x.shape) < 0.2] = np.nan
    y = draw.integers(classes, size=400)
    fitted = HistGradientBoostingClassifier(max_iter=20, early_stopping=False).fit(x, y)
    placed = [(k, tree.nodes) for each in fitted._predictors for k, tree in enumerate(each)]
    ours = Trees.of([nodes for _, nodes in placed], [k for k, _ in placed], np.ravel(fitted._baseline_prediction))
    unseen = draw.normal(size=(100, 5))
    unseen[draw.random(unseen.shape) < 0.2] = np.nan
    np.testing.assert_allclose(ours(torch.from_numpy(unseen)).numpy(), fitted._raw_predict(unseen), atol=1e-5)
    again = Trees(**ours.about())
    again.load_state_dict(ours.state_dict())
    assert torch.equal(again(torch.from_numpy(unseen)), ours(torch.from_numpy(unseen)))


@pytest.mark.parametrize("classes", [2, 4])
def test_trees_see_what_two_columns_say_together_and_a_linear_probe_does_not(classes):
    (x, y), (z, y_val), (t, truth) = (world(n, seed, classes) for n, seed in ((800, 0), (300, 1), (500, 2)))
    found = trees.grow(x, y, z, y_val, {"facts": range(4)}, task(classes), seed=0)
    outputs = found.trees(torch.from_numpy(t)).numpy() @ found.spread + found.offset
    assert (outputs.argmax(1) == truth).mean() > 0.85
    assert found.chosen == ("facts",) and found.flops > 1e6
    probe = linear.fit_probe(np.nan_to_num(x), y, np.nan_to_num(z), y_val, task(classes))
    guess = (np.nan_to_num(t) @ probe.weight.T + probe.bias).argmax(1)
    assert (guess == truth).mean() < 0.6


def test_the_same_data_grow_the_same_trees_and_one_stream_is_read_where_the_other_says_nothing():
    (x, y), (z, y_val) = world(400, 0), world(200, 1)
    noise, noise_val = (np.random.default_rng(5).normal(size=(n, 3)) for n in (400, 200))
    streams = {"text": range(3), "facts": range(3, 7)}
    one, two = (trees.grow(np.hstack([noise, x]), y, np.hstack([noise_val, z]), y_val, streams, task(2), seed=0)
                for _ in range(2))
    assert set(one.tried) == {"text", "facts", "sum", "together"}
    assert one.tried == two.tried and torch.equal(one.trees.value, two.trees.value)
    assert one.tried["facts"] < one.tried["text"]
    if one.chosen == ("facts",):
        assert int(one.trees.feature_idx.max()) < 4


def test_a_class_that_train_lacks_is_never_said_and_one_alone_needs_no_tree():
    (x, y), (z, y_val) = world(300, 0), world(100, 1)
    found = trees.grow(x, y, z, y_val, {"facts": range(4)}, task(3), seed=0)
    assert found.offset[2] < -1000 and found.spread.shape == (1, 3)
    alone = trees.grow(x, np.zeros_like(y), z, np.zeros_like(y_val), {"facts": range(4)}, task(2), seed=0)
    assert alone.trees.about()["trees"] == 0
    assert alone.trees(torch.from_numpy(z)).shape == (100, 0)


def test_numbers_are_learned_in_the_scale_of_the_heads():
    draw = np.random.default_rng(0)
    x, z = draw.normal(size=(600, 2)), draw.normal(size=(200, 2))
    y, y_val = (100 + 50 * np.stack([a[:, 0] * a[:, 1], a[:, 0]], 1).astype(np.float32) for a in (x, z))
    about = Regression({"price": "EUR", "rent": "EUR"}).fitted(y)
    found = trees.grow(x, y, z, y_val, {"facts": range(2)}, about, seed=0)
    outputs = torch.from_numpy(found.trees(torch.from_numpy(z)).numpy() @ found.spread + found.offset)
    answers = about.answer(outputs, about.calibration(outputs, torch.from_numpy(y_val)))
    assert about.score(answers, torch.from_numpy(y_val)) > 0.8
