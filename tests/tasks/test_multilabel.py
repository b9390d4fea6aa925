"""Tags as targets: from cells to tensors and back, losses, calibration, pooling."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from trivium.tasks import of
from trivium.tasks.base import LOWEST
from trivium.tasks.multilabel import MultiLabel
from trivium.training.logistic import lbfgs

Y = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]], np.uint8)
TASK = MultiLabel(("blue", "old", "red"))
FITTED = TASK.fitted(Y)
PRIOR = [math.log(3.5 / 1.5), math.log(1.5 / 3.5), math.log(0.5 / 4.5)]


def test_what_it_is_survives_json() -> None:
    decided = FITTED.decided(torch.tensor([[1.0, -1.0, -2.0]] * 4), torch.from_numpy(Y))
    for task in (TASK, FITTED, decided, MultiLabel(("a",), "focal", "|")):
        assert of(json.loads(json.dumps(task.plain()))).plain() == task.plain()
    assert decided.thresholds[2] == 0.5 and len(decided.thresholds) == 3


def test_targets_go_through_tables_and_back() -> None:
    cells = pa.chunked_array([["red;blue", "[]"], ['["old", "unknown"]', '{"blue": "1", "old": "x"}']])
    y = TASK.encode(cells)
    assert y.dtype == np.uint8 and y.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 0]]
    column = TASK.column(y)
    assert column.type == pa.list_(pa.int32()) and column.to_pylist() == [[0, 2], [], [1], [0, 1]]
    for kept in (column, pa.chunked_array([column[:1], column[1:]]), column.cast(pa.list_(pa.int64()))):
        assert (TASK.numbers(kept) == y).all()
    assert (TASK.numbers(column[2:]) == y[2:]).all()
    assert TASK.encode(cells[:0]).shape == (0, 3)


def test_rows_are_spread_by_their_rarest_tag() -> None:
    assert TASK.strata(np.array([[1, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 0], [1, 0, 0]])).tolist() == [1, 0, 2, 3, 0]
    assert TASK.tally(Y).tolist() == [3, 1, 0] and TASK.categories == ("blue", "old", "red")
    assert not TASK.needs_every_category and TASK.rare(pa.array([["a"]]), 5) == {}


def test_words() -> None:
    assert TASK.words([1, 0, 1]) == "blue, red" and TASK.words(np.zeros(3)) == "no tag"
    assert TASK.constant_words(Y) == "blue"


def test_losses_of_one_sample() -> None:
    outputs, y = torch.tensor([[0.0, math.log(3), -math.log(3)]]), torch.tensor([[1, 1, 1]])
    own = [math.log(2), math.log(4 / 3), math.log(4)]
    assert TASK.losses(outputs, y).tolist() == pytest.approx([sum(own) / 3])
    focal = MultiLabel(TASK.tags, "focal")
    assert focal.losses(outputs, y).tolist() == pytest.approx([(own[0] / 4 + own[1] / 16 + own[2] * 9 / 16) / 3])
    assert FITTED.nll(outputs, y) == pytest.approx(sum(own), rel=1e-6)
    assert MultiLabel(TASK.tags, "balanced").losses(outputs, y).tolist() == pytest.approx([sum(own) / 3])  # not fitted


def test_the_balanced_loss_weighs_rare_tags_and_ends_at_the_share() -> None:
    y = np.zeros((100, 1), np.uint8)
    y[:10] = 1
    task = MultiLabel(("rare",), "balanced").fitted(y)
    yes, no = task._weights()
    assert yes / no == pytest.approx((1 - 0.999**90) / (1 - 0.999**10)) and 10 * yes + 90 * no == pytest.approx(100)
    logit = torch.zeros(1, requires_grad=True)
    best = torch.optim.LBFGS([logit], max_iter=100, tolerance_grad=1e-9, tolerance_change=1e-12)

    def step() -> torch.Tensor:
        best.zero_grad()
        loss = task.loss(logit.expand(100, 1), torch.from_numpy(y))
        loss.backward()
        return loss

    best.step(step)
    assert logit.item() == pytest.approx(math.log(1 / 9), abs=1e-3)


def test_confidence_becomes_the_share_that_is_right() -> None:
    outputs, y = torch.tensor([[2.0]] * 4), torch.tensor([[1], [1], [1], [0]])
    task = MultiLabel(("a",))
    assert task.calibration(outputs, y).item() == pytest.approx(2 / math.log(3))
    assert task.calibrated_nll(outputs, y) == pytest.approx(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert task.answer(outputs, task.calibration(outputs, y))[0].tolist() == pytest.approx([math.log(3)])
    assert task.calibration(torch.tensor([[9.0], [-9.0]]), torch.tensor([[1], [0]])).item() == pytest.approx(0.05)


def test_pooled_answers_add_what_each_tells_beyond_train() -> None:
    answers = torch.tensor([[[2.0, 0.0, 0.0]], [[1.0, 0.0, 0.0]]])
    both = FITTED.pooled(answers, torch.tensor([[True], [True]]))[0]
    assert both.tolist() == pytest.approx([3.0 - PRIOR[0], -PRIOR[1], -PRIOR[2]])
    assert FITTED.pooled(answers, torch.tensor([[True], [False]]))[0].tolist() == pytest.approx([2.0, 0.0, 0.0])
    assert FITTED.pooled(answers, torch.tensor([[False], [False]]))[0].tolist() == pytest.approx(PRIOR)
    assert FITTED.nothing(Y).tolist() == pytest.approx(PRIOR)


def test_the_score_is_the_f1_of_each_sample() -> None:
    task = MultiLabel(TASK.tags, thresholds=(0.5, 0.2, 0.9))
    answers = torch.logit(torch.tensor([[0.6, 0.3, 0.8], [0.4, 0.1, 0.5], [0.9, 0.3, 0.95]]))
    y = torch.tensor([[1, 0, 1], [0, 0, 0], [0, 0, 0]])
    assert task.guess(answers).tolist() == [[1, 1, 0], [0, 0, 0], [1, 1, 1]]
    assert task.right(answers, y).tolist() == [0.5, 1.0, 0.0]
    assert task.right(torch.stack([answers, answers]), y).shape == (2, 3)
    stored = task.stored(answers)
    assert task.truth(stored, y.numpy()) ** 3 == pytest.approx([0.6 * 0.7 * 0.8, 0.6 * 0.9 * 0.5, 0.1 * 0.7 * 0.05])
    assert task.support(answers, y).exp().tolist() == pytest.approx(task.truth(stored, y.numpy()).tolist())
    assert (task.prediction(stored) == task.guess(answers).numpy()).all()
    found = task.scores(task.outcome(stored, y.numpy()), ("sample_f1", "nll"))
    assert found["sample_f1"] == pytest.approx(task.score(answers, y))
    assert found["nll"] == pytest.approx(-task.log_likelihood(answers, y).mean().item())


def test_a_certain_mistake_stays_finite_in_each_tag() -> None:
    answers, y = torch.tensor([[100.0, 100.0, -100.0]]), torch.tensor([[0, 0, 0]])
    assert TASK.log_likelihood(answers, y).tolist() == pytest.approx([2 * LOWEST])
    assert TASK.outcome(TASK.stored(answers), y.numpy()).nll.tolist() == pytest.approx([-2 * LOWEST])


def test_parts_are_the_samples_of_each_tag_and_those_without() -> None:
    parts = TASK.parts(torch.from_numpy(Y))
    assert {name: part.tolist() for name, part in parts.items()} == {
        "blue": [True, True, True, False], "old": [False, True, False, False],
        "no tag": [False, False, False, True]}


def test_a_tag_that_only_test_has_is_measured_and_harms_nothing() -> None:
    y = np.array([[1, 0, 1], [0, 1, 0]], np.uint8)
    answers = torch.tensor([[2.0, -2.0, PRIOR[2]], [-2.0, 2.0, PRIOR[2]]])
    found = FITTED.scores(FITTED.outcome(FITTED.stored(answers), y))
    assert found["macro_f1"] == pytest.approx(2 / 3) and found["mean_ap"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert all(math.isfinite(value) for value in found.values())


def test_the_link_is_logistic_regression_of_each_tag() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4))
    y = (rng.random((200, 3)) < 1 / (1 + np.exp(-2 * x[:, :3]))).astype(np.uint8)
    link, strength = TASK.link(y), 0.01
    penalty = np.array([strength] * 4 + [0.0])[:, None]
    turned = np.column_stack([x, np.ones(200)])

    def loss(z: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = link.loss(turned @ z)
        return value + float((penalty * z * z).sum()) / 2, turned.T @ slope + penalty * z

    start = np.vstack([np.zeros((4, 3)), link.start])
    z, _ = lbfgs(loss, start, 1 / (np.ones((5, 1)) * link.curvature + penalty))
    for k in range(3):
        known = LogisticRegression(C=1 / (200 * strength), tol=1e-8).fit(x, y[:, k])
        assert z[:4, k] == pytest.approx(known.coef_[0], abs=0.03)
        assert z[4, k] == pytest.approx(known.intercept_[0], abs=0.03)
    weight = np.arange(1.0, 201)
    value, slope = link.loss(np.tile([[3.0, -4.0, 0.5]], (200, 1)), weight)
    more, _ = link.loss(np.tile([[3.0 + 1e-6, -4.0, 0.5]], (200, 1)), weight)
    assert (more - value) / 1e-6 == pytest.approx(slope[:, 0].sum(), rel=1e-4)
    assert link.usable(y).all() and link.judged(turned @ z, y) < link.judged(turned @ start, y)
    assert np.isfinite(TASK.link(Y).start).all()  # a tag without train rows


def test_probes_are_put_together() -> None:
    scores, nothing = torch.tensor([[[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]]).repeat(3, 1, 1), torch.tensor([7.0, 8.0, 9.0])
    present = torch.tensor([[True, True], [True, False], [False, False]])
    half = torch.tensor(0.5)
    mean = TASK.combined(scores, present, "mean", torch.ones(3), nothing, half)
    assert mean.tolist() == [[4.0, 4.0, 4.0], [2.0, 4.0, 6.0], [14.0, 16.0, 18.0]]
    both = TASK.combined(scores, present, "concatenation", torch.ones(3), nothing, half)
    assert both[:2].tolist() == [[10.0, 10.0, 10.0], [4.0, 6.0, 8.0]]


def test_a_probe_reads_tags_off_features() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.nn.functional.pad(torch.randn(100, 3, generator=generator, dtype=torch.float64), (0, 1), value=1.0)
    y = (x[:, :3] > 0).to(torch.uint8)
    assert TASK.score(TASK.probed(x, y, x), y) > 0.95
