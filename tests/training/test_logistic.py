import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.sparse import csr_array, random_array
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tests import networks
from trivium.tasks.temperature import calibrated_nll
from trivium.training import logistic
from trivium.training.logistic import Dense, Sparse, fit_blocks, flops, lbfgs, nonzeros

TASK = networks.task(3)


def problem(rows=120, classes=3, seed=0):
    """Dense columns [N, 5] of very different sizes, sparse ones [N, 40] of which many stand in one row, labels [N]."""
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % classes
    dense = rng.normal(0, 1, (rows, 5)) + np.eye(5)[y] * 1.5
    sparse = csr_array(random_array((rows, 40), density=0.04, rng=rng, format="csr"))
    return dense * [1, 10, 100, 0.1, 0.01] + [0, 5, 0, 0, 1], sparse, y


def every(x):
    return np.ones(x.shape[0], bool)


def fit(x, y, strength):
    return fit_blocks([x], [every(x)], y, [x], [every(x)], y, TASK, [(strength,)])


def log_softmax(x):
    x = x - x.max(1, keepdims=True)
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def answers(fitted, *blocks):
    return log_softmax(sum(x @ w.T + b for x, w, b in zip(blocks, fitted.weights, fitted.biases, strict=True))
                       + fitted.intercept)


@pytest.mark.parametrize("strength", [1e-1, 1e-3, 1e-5])
def test_dense_columns_are_fitted_as_by_scikit_learn(monkeypatch, strength):
    monkeypatch.setattr(logistic, "TOLERANCE", 1e-12)
    x, _, y = problem()
    scaled = StandardScaler().fit_transform(x) / 5**0.5
    theirs = LogisticRegression(C=1 / (len(y) * strength), tol=1e-9, max_iter=9999).fit(scaled, y)
    assert np.abs(answers(fit(x, y, strength), x) - theirs.predict_log_proba(scaled)).max() < 2e-4


@pytest.mark.parametrize("strength", [1e-1, 1e-3, 1e-4])
def test_sparse_columns_are_fitted_as_by_scikit_learn_though_those_of_one_row_are_merged(monkeypatch, strength):
    monkeypatch.setattr(logistic, "TOLERANCE", 1e-12)
    _, x, y = problem(rows=40)
    assert (np.bincount(x.indices) == 1).sum() > 5
    assert Sparse(x, every(x)).apply(x, every(x)).shape[1] < 36
    length = np.sqrt(x.power(2).sum() / 40)
    theirs = LogisticRegression(C=1 / (40 * strength), tol=1e-9, max_iter=9999).fit(x / length, y)
    assert np.abs(answers(fit(x, y, strength), x) - theirs.predict_log_proba(x / length)).max() < 2e-4


def test_the_usual_tolerance_costs_next_to_nothing(monkeypatch):
    x, _, y = problem()
    rough = fit(x, y, 1e-4)
    monkeypatch.setattr(logistic, "TOLERANCE", 1e-12)
    exact = fit(x, y, 1e-4)
    assert rough.iterations < exact.iterations and abs(rough.nll - exact.nll) < 5e-4


def test_blocks_side_by_side_are_penalised_each_by_its_own_strength(monkeypatch):
    monkeypatch.setattr(logistic, "TOLERANCE", 1e-12)
    dense, sparse, y = problem(rows=60)
    found = fit_blocks([dense, sparse], [every(dense)] * 2, y, [dense, sparse], [every(dense)] * 2, y, TASK,
                       [(1e-2, 1e-3)])
    length = np.sqrt(sparse.power(2).sum() / 60)
    both = np.hstack([StandardScaler().fit_transform(dense) / 5**0.5, sparse.toarray() / length * 10**0.5])
    theirs = LogisticRegression(C=1 / (60 * 1e-2), tol=1e-9, max_iter=9999).fit(both, y)
    assert np.abs(answers(found, dense, sparse) - theirs.predict_log_proba(both)).max() < 2e-4


def test_the_strength_is_the_one_that_validation_prefers():
    x, _, y = problem()
    noisy = np.random.default_rng(3).normal(size=(60, 40))
    useless = fit_blocks([noisy], [every(noisy)], y[:60], [noisy[::-1]], [every(noisy)], y[:60], TASK,
                         [(1.0,), (1e-2,), (1e-4,), (1e-6,)])
    assert useless.strengths == (1.0,)
    val, _, y_val = problem(seed=1)
    tried = {}
    for strength in (1e-1, 1e-2, 1e-3):
        tried[strength] = fit_blocks([x], [every(x)], y, [val], [every(val)], y_val, TASK, [(strength,)]).nll
    best = fit_blocks([x], [every(x)], y, [val], [every(val)], y_val, TASK, [(s,) for s in tried])
    assert best.strengths == (min(tried, key=tried.get),)
    assert best.nll == pytest.approx(min(tried.values()), abs=1e-3)
    assert best.nll == pytest.approx(calibrated_nll(answers(best, val), y_val), abs=1e-6)


def test_weaker_strengths_are_not_tried_once_two_were_worse(monkeypatch):
    tried = []
    original = logistic._minimise
    monkeypatch.setattr(logistic, "_minimise", lambda *a: tried.append(a[2]) or original(*a))
    noisy = np.random.default_rng(3).normal(size=(60, 40))
    fit_blocks([noisy], [every(noisy)], np.arange(60) % 3, [noisy[::-1]], [every(noisy)], np.arange(60) % 3, TASK,
               [(1.0,), (1e-1,), (1e-2,), (1e-3,)])
    assert tried == [(1.0,), (1e-1,), (1e-2,)]


def test_a_class_that_train_lacks_and_a_column_that_never_varies():
    x, _, y = problem()
    x[:, 3] = 0.1
    found = fit_blocks([x], [every(x)], y * 2, [x], [every(x)], np.where(y == 0, 1, y * 2), networks.task(6), [(1e-3,)])
    assert (found.weights[0][:, 3] == 0).all() and (found.weights[0][[1, 3, 5]] == 0).all()
    assert found.intercept[[1, 3, 5]].tolist() == [-1e4] * 3
    assert found.nll < 1  # of the validation rows of classes 2 and 4
    with pytest.raises(ValueError, match="validation rows of their classes"):
        fit_blocks([x], [every(x)], y * 2, [x], [every(x)], y * 0 + 1, networks.task(6), [(1e-3,)])


def test_rows_without_a_block_are_its_mean_and_do_not_shape_it():
    x, sparse, _ = problem()
    here = np.arange(120) % 4 > 0
    spoiled = np.where(here[:, None], x, np.nan)
    for matrix, kind in ((x, Dense(spoiled, here)), (sparse, Sparse(sparse, here))):
        applied = kind.apply(matrix, here)
        applied = applied if isinstance(applied, np.ndarray) else applied.toarray()
        assert not applied[~here].any()
        assert np.square(applied[here]).sum(1).mean() == pytest.approx(1)
        weight, bias = kind.unfold(np.ones((applied.shape[1], 2)))
        assert np.allclose((matrix @ weight.T + bias)[here], applied[here] @ np.ones((applied.shape[1], 2)))


@pytest.mark.parametrize("columns", [[[0, 0], [0, 0], [0, 0]], [[1, 0], [2, 0], [1, 0]], [[1, 0], [0, 2], [0, 0]]])
def test_columns_of_all_rows_of_one_or_of_none(columns):
    x = csr_array(np.array(columns, float))
    found = fit(x, np.array([0, 1, 2]), 1e-2)
    assert np.isfinite(found.weights[0]).all() and found.weights[0].shape == (3, 2)
    assert (found.weights[0].any(0) == np.array(columns).any(0)).all()


def test_numbers_that_are_not_finite_are_told_where_they_count():
    x, _, y = problem()
    x[5, 2] = np.inf
    here = np.arange(120) != 5
    fit_blocks([x], [here], y, [x], [here], y, TASK, [(1e-2,)])
    with pytest.raises(ValueError, match="not finite"), np.errstate(invalid="ignore"):
        fit(x, y, 1e-2)


def test_what_a_fit_costs():
    assert flops(nonzeros=1000, outputs=3, iterations=7) == 126_000
    x, sparse, y = problem()
    here = np.arange(120) < 100
    assert nonzeros(x, here) == 500
    assert nonzeros(sparse, here) == sparse[:100].nnz
    found = fit(x, y, 1e-2)
    assert found.flops == 6 * (120 * 5) * 3 * found.iterations and found.iterations > 2


def test_the_minimum_of_a_known_function():
    def quartic(z):
        return float(((z - 3) ** 4 + (z - 3) ** 2 * [1, 100]).sum()), 4 * (z - 3) ** 3 + 2 * (z - 3) * [1, 100]

    calls = []
    z, evaluations = lbfgs(lambda z: calls.append(0) or quartic(z), np.zeros(2), np.array([0.5, 0.005]))
    assert z == pytest.approx([3, 3], abs=0.01) and evaluations == len(calls) < 30
    reference = minimize(quartic, np.zeros(2), jac=True, method="L-BFGS-B")
    assert quartic(z)[0] == pytest.approx(reference.fun, abs=1e-4)


def test_same_inputs_same_bytes():
    x, sparse, y = problem()
    both = [x, sparse], [every(x)] * 2, y
    one, two = (fit_blocks(*both, *both, TASK, [(1e-2, 1e-2), (1e-3, 1e-3)]) for _ in range(2))
    assert [w.tobytes() for w in one.weights] == [w.tobytes() for w in two.weights] and one.nll == two.nll
    assert {w.dtype for w in (*one.weights, *one.biases, one.intercept)} == {np.dtype(np.float32)}
