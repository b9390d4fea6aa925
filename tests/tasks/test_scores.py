import numpy as np
import pytest

from tests import networks
from trivium.tasks import scores as metrics
from trivium.tasks.base import joined

P = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.6, 0.3, 0.1]]  # predicted: 0, 1, 2, 0
Y = [0, 1, 0, 2]


def score(p, y, **how):
    return networks.task(np.shape(p)[1]).scores(metrics.outcome(p, y), **how)


def test_score_of_four_predictions():
    found = score(P, Y, bins=5)
    assert found == {
        "accuracy": 0.5,
        "balanced_accuracy": pytest.approx((1 / 2 + 1 + 0) / 3),
        "macro_precision": pytest.approx((1 / 2 + 1 + 0) / 3),
        "macro_recall": pytest.approx((1 / 2 + 1 + 0) / 3),
        "macro_f1": pytest.approx((1 / 2 + 1 + 0) / 3),
        "nll": pytest.approx(-(np.log(0.7) + np.log(0.8) + np.log(0.3) + np.log(0.1)) / 4),
        "brier": pytest.approx((0.14 + 0.06 + 0.74 + 1.26) / 4),
        "ece": pytest.approx((0.4 + 0.6 + 0.5) / 4),  # bins (.2,.4], (.4,.6] and (.6,.8], the last with two samples
    }


def test_weights_count_like_copies_of_a_sample():
    weighted = metrics.weighted(metrics.outcome(P, Y), np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [1.0, 3.0]]))
    copies = score([P[0], P[1], P[1], P[3]], [0, 1, 1, 2])
    assert {name: value[0] for name, value in weighted.items()} == pytest.approx(copies)
    assert weighted["accuracy"][1] == 0


def test_outcomes_of_pieces_are_those_of_the_whole():
    task, pieces = networks.task(3), joined([metrics.outcome(P[:1], Y[:1]), metrics.outcome(P[1:], Y[1:])])
    assert task.scores(pieces) == score(P, Y)
    assert task.scores(pieces, ("accuracy", "nll")) == {name: score(P, Y)[name] for name in ("accuracy", "nll")}


def test_a_class_without_test_samples_is_left_out_of_macro_averages():
    p = [[0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]]
    found = score(p, [1, 0, 0, 0])  # class 2 is predicted once and never right
    assert found["macro_recall"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["macro_precision"] == 1.0


@pytest.mark.parametrize("classes", [2, 7])
def test_agrees_with_scikit_learn(classes):
    from sklearn import metrics as sk

    rng = np.random.default_rng(classes)
    logits = rng.normal(size=(300, classes))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    y = np.array([rng.choice(classes, p=row) for row in p])
    guess, found = p.argmax(1), score(p, y)
    precision, recall, f1, _ = sk.precision_recall_fscore_support(y, guess, average="macro", zero_division=0)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(y, guess))
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(y, guess))
    assert [found[f"macro_{name}"] for name in ("precision", "recall", "f1")] == pytest.approx([precision, recall, f1])
    assert found["nll"] == pytest.approx(sk.log_loss(y, p))
    assert found["brier"] == pytest.approx(((p - np.eye(classes)[y]) ** 2).sum(1).mean())
    assert (metrics.confusion(y, guess, classes) == sk.confusion_matrix(y, guess, labels=range(classes))).all()


def test_neighbouring_bins_stay_apart():
    assert score([[0.1, 0.9], [0.3, 0.7]], [0, 1], bins=5)["ece"] == pytest.approx((0.9 + 0.3) / 2)
    assert score([[0.1, 0.9], [0.3, 0.7]], [0, 1], bins=1)["ece"] == pytest.approx((0.9 - 0.3) / 2)


def test_perfect_calibration_has_no_error_and_a_certain_mistake_a_finite_loss():
    p = [[0.75, 0.25]] * 4
    assert score(p, [0, 0, 0, 1])["ece"] == pytest.approx(0)
    assert score([[1.0, 0.0]], [1])["nll"] == pytest.approx(27.631, abs=1e-3)


def test_per_class_report():
    counts = metrics.confusion(Y, [0, 1, 2, 0], 3)
    assert counts.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 0]]
    found = metrics.per_class(counts, ["a", "b", "c"])
    assert found["a"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert found["c"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}


@pytest.mark.parametrize("p, y, says", [
    ([[0.5, 0.5]], [2], "labels must lie"),
    ([[0.5, 0.4]], [0], "sum to one"),
    ([[0.5, float("nan")]], [0], "finite"),
    ([[0.5, 0.5]], [0, 1], r"\[B, C\]"),
    (np.empty((0, 2)), [], "B > 0"),
])
def test_what_is_not_a_prediction_is_refused(p, y, says):
    with pytest.raises(ValueError, match=says):
        score(p, y)
