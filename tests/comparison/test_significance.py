import pytest

from trivium.comparison.significance import holm, mcnemar


def test_mcnemar_counts_what_only_one_gets_right():
    a = [True] * 10 + [False] * 2 + [True] * 50 + [False] * 5
    b = [False] * 10 + [True] * 2 + [True] * 50 + [False] * 5
    assert mcnemar(a, b) == pytest.approx(2 * (1 + 12 + 66) / 2**12)
    assert mcnemar(b, a) == mcnemar(a, b)
    assert mcnemar(a, a) == 1.0


def test_holm():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.001, 0.5, 0.02, 0.9]) == pytest.approx([0.004, 1.0, 0.06, 1.0])
    assert holm([]) == []
