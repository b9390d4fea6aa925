"""Metrics of tags, against scikit-learn, and thresholds."""

import numpy as np
import pytest
from sklearn import metrics as sk

from trivium.tasks import tags
from trivium.tasks.multilabel import MultiLabel

RNG = np.random.default_rng(0)
NAMES = ("blue", "large", "old", "red", "tall")
Y = (RNG.random((300, 5)) < [0.5, 0.2, 0.1, 0.05, 0.3]).astype(np.uint8)
P = 1 / (1 + np.exp(-RNG.normal(size=(300, 5)) - 1.5 * Y + 1))
P[:, 1] = P[:, 1].round(1).clip(0.1, 0.9)  # many are equal
TASK = MultiLabel(NAMES, thresholds=(0.5, 0.4, 0.3, 0.5, 0.6))
RESULT = TASK.outcome(P, Y)


@pytest.mark.parametrize("weight", [None, RNG.exponential(size=300)], ids=["plain", "weighted"])
def test_agrees_with_scikit_learn(weight: np.ndarray | None) -> None:
    found, given = TASK.scores(RESULT, weight=weight), (P >= TASK.thresholds).astype(int)
    assert found["macro_f1"] == pytest.approx(sk.f1_score(Y, given, average="macro", sample_weight=weight))
    assert found["micro_f1"] == pytest.approx(sk.f1_score(Y, given, average="micro", sample_weight=weight))
    assert found["sample_f1"] == pytest.approx(sk.f1_score(Y, given, average="samples", sample_weight=weight,
                                                           zero_division=1))
    assert found["subset"] == pytest.approx(sk.accuracy_score(Y, given, sample_weight=weight))
    assert found["mean_ap"] == pytest.approx(
        sk.average_precision_score(Y, P.astype(np.float32), average="macro", sample_weight=weight))
    each = np.stack([-np.where(Y[:, k], np.log(P[:, k]), np.log(1 - P[:, k])) for k in range(5)], 1).sum(1)
    assert found["nll"] == pytest.approx(np.average(each, weights=weight))


def test_many_weightings_are_as_many_single_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = RNG.exponential(size=(300, 7))
    weights[:, 0] = RNG.integers(3, size=300)
    names = tuple(TASK.metrics)
    for share in (0.0, 1.1):  # dense and sparse sums
        monkeypatch.setattr(tags, "SPARSE", share)
        found = TASK.weighted(TASK.outcome(P, Y), weights, names)
        for r in range(7):
            assert {name: found[name][r] for name in names} == pytest.approx(
                TASK.scores(RESULT, weight=weights[:, r]), rel=1e-5)


def test_a_tag_without_test_samples_is_left_out_of_averages() -> None:
    y, p = Y.copy(), P.copy()
    y[:, 3] = 0
    with_it, without = (MultiLabel(NAMES[:n]).outcome(p[:, keep], y[:, keep])
                        for n, keep in ((5, [0, 1, 2, 3, 4]), (4, [0, 1, 2, 4])))
    for name in ("macro_f1", "mean_ap"):
        assert TASK.scores(with_it, (name,)) == TASK.scores(without, (name,))


def test_calibration_error_of_pairs() -> None:
    result = MultiLabel(("a", "b")).outcome(np.array([[0.1, 0.9], [0.1, 0.7]]), np.array([[0, 1], [1, 1]]))
    assert MultiLabel(("a", "b")).scores(result, ("ece",), bins=2)["ece"] == pytest.approx((0.8 + 0.4) / 4)


def test_a_constant_answer_has_the_precision_of_the_share() -> None:
    result = TASK.constant(Y[:200], Y[200:])
    weight = RNG.exponential(size=(100, 1))
    share = (weight * Y[200:]).sum(0) / weight.sum()
    assert tags.average_precision(result, weight)[:, 0] == pytest.approx(share[Y[200:].any(0)])


def test_permuted_is_the_mean_over_permutations() -> None:
    y, p = Y[:40], P[:40]
    result, weights = TASK.outcome(p, y), np.ones((40, 1))
    expected = TASK.chance(result, weights, ("macro_f1", "micro_f1"))
    drawn = [TASK.scores(TASK.outcome(p, y[RNG.permutation(40)]), ("macro_f1", "micro_f1")) for _ in range(3000)]
    for name in expected:
        assert np.mean([one[name] for one in drawn]) == pytest.approx(float(expected[name][0]), abs=0.005)


def test_thresholds_of_four_samples() -> None:
    p = np.array([[0.9, 0.30, 0.6, 0.2], [0.7, 0.20, 0.4, 0.2], [0.3, 0.10, 0.3, 0.2], [0.1, 0.05, 0.2, 0.2]])
    y = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    assert tags.thresholds(p, y).tolist() == pytest.approx([0.5, 0.15, 0.5, 0.5])
    tied = tags.thresholds(np.array([[0.2], [0.2], [0.8]]), np.array([[1], [0], [0]]))
    assert tied.tolist() == pytest.approx([0.1])  # no threshold parts what is equal


def test_thresholds_are_the_best_there_are() -> None:
    found = tags.thresholds(P, Y)
    for k in range(5):
        best = max(sk.f1_score(Y[:, k], P[:, k] >= cut) for cut in np.unique(P[:, k]))
        assert sk.f1_score(Y[:, k], P[:, k] >= found[k]) == pytest.approx(best)
    assert tags.thresholds(np.zeros((2, 1)), np.ones((2, 1), np.uint8)).tolist() == [0.5]


def test_table_has_a_row_per_tag() -> None:
    found = TASK.table(RESULT)
    precision, recall, f1, support = sk.precision_recall_fscore_support(Y, P >= TASK.thresholds)
    for k, name in enumerate(NAMES):
        assert found[name] == pytest.approx({
            "precision": precision[k], "recall": recall[k], "f1": f1[k], "support": support[k],
            "average_precision": sk.average_precision_score(Y[:, k], P[:, k].astype(np.float32)),
            "threshold": TASK.thresholds[k]})


@pytest.mark.parametrize("p, y, says", [
    ([[0.5]], [[2]], "0 or 1"), ([[1.5]], [[1]], "0-1"), ([[float("nan")]], [[1]], "finite"),
    ([[0.5, 0.5]], [[1]], r"\[B, C\]"), (np.empty((0, 1)), np.empty((0, 1)), "B > 0"),
])
def test_what_is_no_prediction_is_refused(p: object, y: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        MultiLabel(("a",)).outcome(np.asarray(p), np.asarray(y))
