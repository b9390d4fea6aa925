"""Likeness of features and of errors."""

import numpy as np
import pytest

from trivium.comparison.similarity import cka, ensemble, joint_errors, least_alike, maps, mutual_knn


def normal(seed: int, n: int, d: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def biased_cka(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x - x.mean(0), y - y.mean(0)
    return np.linalg.norm(x.T @ y) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))


def test_independent_features_are_not_alike_however_wide() -> None:
    """n = 128, d = 768: 0.856 biased, about 0 debiased."""
    pairs = [(normal(2 * k, 128, 768), normal(2 * k + 1, 128, 768)) for k in range(5)]
    assert np.mean([biased_cka(x, y) for x, y in pairs]) == pytest.approx(0.856, abs=0.003)
    assert np.mean([cka([x, y])[0, 1] for x, y in pairs]) == pytest.approx(0.0, abs=0.01)


def test_cka_knows_rotation_and_scale_from_change() -> None:
    x = normal(0, 60, 10)
    rotation = np.linalg.qr(normal(1, 10, 10))[0]
    found = cka([x, 3 * x @ rotation + 5, x * np.array([10.0] + [1.0] * 9), normal(2, 60, 4)])
    assert found.diagonal() == pytest.approx([1, 1, 1, 1])
    assert found[0, 1] == pytest.approx(1)
    assert found[0, 2] < 0.8
    assert abs(found[0, 3]) < 0.2
    assert found == pytest.approx(found.T)


def test_cka_by_hand() -> None:
    """Four points, K and L written out: HSIC_1 = [tr(KL) + sum(K) sum(L) / 6 - sum(KL)] / 4 for n = 4."""
    x, y = np.array([[0.0], [1], [2], [3]]), np.array([[0.0], [1], [1], [2]])

    def gram(z: np.ndarray) -> np.ndarray:
        k = z @ z.T
        np.fill_diagonal(k, 0)
        return k

    def hsic(k: np.ndarray, m: np.ndarray) -> float:
        return (np.trace(k @ m) + k.sum() * m.sum() / 6 - (k @ m).sum()) / 4

    k, m = gram(x), gram(y)
    assert cka([x, y])[0, 1] == pytest.approx(hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m)))


def test_neighbours() -> None:
    x = normal(0, 200, 5)
    found = mutual_knn([x, 2 * x, normal(1, 200, 5)], neighbours=10)
    assert found[0, 1] == 1.0
    assert found[0, 2] == pytest.approx(10 / 199, abs=0.02)


def test_joint_errors() -> None:
    a = np.array([1, 1, 0, 0, 0, 0, 0, 0] * 10, bool)
    assert joint_errors(a, a) == 4.0  # 1/4 against 1/16
    assert joint_errors(a, ~a) == 0.0
    assert joint_errors(a, np.array([1, 0, 1, 0, 1, 0, 1, 0] * 10, bool)) == 1.0
    assert joint_errors(a, np.zeros(80, bool)) is None
    assert joint_errors(a[:72], a[:72]) is None  # 18 errors are too few


def test_the_least_alike_are_found_by_their_errors() -> None:
    wrong = {"a": np.array([1, 1, 0, 0, 0, 0] * 10, bool), "b": np.array([1, 1, 0, 0, 0, 0] * 10, bool),
             "c": np.array([0, 1, 1, 0, 0, 0] * 10, bool)}
    assert least_alike(wrong) == (1.5, "a", "c")
    assert least_alike({"a": wrong["a"], "never": np.zeros(60, bool)}) is None


def test_an_ensemble_of_two_that_err_apart() -> None:
    y = np.array([0, 0, 1], np.int32)
    first = np.array([[0.9, 0.1], [0.4, 0.6], [0.1, 0.9]], np.float32)  # wrong on the second
    second = np.array([[0.4, 0.6], [0.9, 0.1], [0.2, 0.8]], np.float32)  # wrong on the first
    assert ensemble([(0, y, first, second)]).plain() == {
        "score": {"mean": 1.0, "low": 1.0, "high": 1.0}, "gain": pytest.approx(1 / 3)}
    never = np.array([[0.3, 0.7]], np.float32)  # a second seed, and the first one in two pieces
    pieces = [(0, y[:1], first[:1], second[:1]), (0, y[1:], first[1:], second[1:]), (1, y[:1], never, never)]
    assert ensemble(pieces).plain() == {
        "score": {"mean": 0.5, "low": 0.0, "high": 1.0}, "gain": pytest.approx(1 / 2 - 1 / 3)}
    certain = [np.array([[1.0, 0.0]], np.float32), np.array([[0.0, 1.0]], np.float32)]
    assert ensemble([(0, y[:1], *certain)]).score.mean == 1.0  # equally sure: the first class


def test_maps_compare_strategies_at_the_same_seed_and_themselves_at_others() -> None:
    one, two = normal(0, 40, 3), normal(1, 40, 3)
    vectors = {"a": [{"text": one}, {"text": two}], "b": [{"text": 2 * one, "image": two}, {"text": two, "image": two}]}
    cka_text, cka_image, between, *neighbours = maps(vectors, ["text", "image"])
    assert cka_text.names == ["a", "b"] and cka_image.names == ["b"]
    assert cka_text.values[0][1] == pytest.approx(1.0)
    assert cka_text.values[0][0] == pytest.approx(cka([one, two])[0, 1])
    assert cka_image.values == [[pytest.approx(1.0)]]
    assert between.names == ["text", "image"]
    assert between.values[0][1] == pytest.approx((cka([one, two])[0, 1] + 1) / 2)
    assert [item.title for item in neighbours] == [
        "text: shared neighbours", "image: shared neighbours", "Between streams: shared neighbours"]


def test_the_ensemble_multiplies_probabilities_and_is_held_against_the_better_one() -> None:
    """First sample: 0.9 x 0.02 < 0.05 x 0.6, though sums say the opposite. The second strategy is right on both."""
    first, second = np.array([[0.9, 0.05, 0.05], [0.1, 0.8, 0.1]]), np.array([[0.02, 0.38, 0.6], [0.6, 0.2, 0.2]])
    found = ensemble([(0, np.array([2, 0]), first, second)])
    assert found.score.mean == 0.5  # the second sample is lost: 0.1 x 0.6 < 0.8 x 0.2
    assert found.gain == -0.5
