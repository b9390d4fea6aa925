"""BROJA against distributions whose parts are known, and against a search that knows nothing of the method."""

import numpy as np
import pytest
from scipy.optimize import minimize

from trivium.comparison.broja import Parts, broja, information, least_information
from trivium.data.sources.worlds import STREAMS, world


def joint_of(cells: list[tuple[int, int, int]], shape: tuple[int, int, int]) -> np.ndarray:
    """P(y, x1, x2) that is even over `cells`."""
    joint = np.zeros(shape)
    for cell in cells:
        joint[cell] += 1 / len(cells)
    return joint


XOR = joint_of([(a ^ b, a, b) for a in (0, 1) for b in (0, 1)], (2, 2, 2))
COPY = joint_of([(a, a, a) for a in range(4)], (4, 4, 4))
FIRST = joint_of([(a, a, b) for a in (0, 1) for b in (0, 1)], (2, 2, 2))
BOTH_BITS = joint_of([(2 * a + b, a, b) for a in (0, 1) for b in (0, 1)], (4, 2, 2))
AND = joint_of([(a & b, a, b) for a in (0, 1) for b in (0, 1)], (2, 2, 2))


@pytest.mark.parametrize(("joint", "parts"), [
    (XOR, (0, 0, 0, 1)),
    (COPY, (2, 0, 0, 0)),
    (FIRST, (0, 1, 0, 0)),
    (BOTH_BITS, (0, 1, 1, 0)),
    (AND, (0.3113, 0, 0, 0.5)),
])
def test_known_distributions(joint: np.ndarray, parts: Parts) -> None:
    assert broja(joint, tolerance=1e-6) == pytest.approx(parts, abs=1e-4)


@pytest.mark.parametrize(("name", "pair", "parts"), [
    ("synergy", "text+image", (0, 0, 0, 1)),
    ("synergy", "text+audio", (0, 0, 0, 0)),
    ("unique", "text+image", (0, 1, 1, 0)),
    ("mixed", "text+image", (1, 0, 0, 0)),
    ("mixed", "image+audio", (0, 1, 0, 1)),
    ("mixed", "text+audio", (0, 1, 0, 0)),
    ("dominant", "text+audio", (1.0066, 0, 0.4902, 0.1942)),
    ("redundant", "text+image", (1.4968, 0, 0, 0.3134)),
])
def test_worlds(name: str, pair: str, parts: Parts) -> None:
    rules = world(name, 4)
    unseen = next(m for m in STREAMS if m not in pair.split("+"))
    joint = rules.joint.sum(axis=1 + STREAMS.index(unseen))
    found = broja(joint)
    assert found == pytest.approx(parts, abs=5e-4)
    assert sum(found) == pytest.approx(rules.bits(tuple(pair.split("+"))))


def test_the_parts_do_not_depend_on_which_source_comes_first() -> None:
    joint = np.random.default_rng(3).dirichlet(np.full(24, 0.4)).reshape(2, 3, 4)
    r, one, two, s = broja(joint, 1e-5)
    assert broja(joint.transpose(0, 2, 1), 1e-5) == pytest.approx((r, two, one, s), abs=1e-4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_minimum_is_that_of_a_general_optimiser(seed: int) -> None:
    joint = np.random.default_rng(seed).dirichlet(np.full(12, 0.7)).reshape(3, 2, 2)
    first, second = joint.sum(2), joint.sum(1)

    def moved(t: np.ndarray) -> np.ndarray:  # with two values each, every label leaves one way to move
        return joint + t[:, None, None] * np.array([[1, -1], [-1, 1]])

    def objective(t: np.ndarray) -> float:
        return information(np.maximum(moved(t), 1e-15).reshape(3, -1))

    bounds = [(-min(p[0, 0], p[1, 1]), min(p[0, 1], p[1, 0])) for p in joint]
    best = min(minimize(objective, [low + share * (high - low) for low, high in bounds], bounds=bounds).fun
               for share in (0.1, 0.5, 0.9))
    assert least_information(first, second, 1e-6) == pytest.approx(best, abs=1e-4)
