"""What a strategy must surely beat, and how seldom one that knows nothing does."""

import numpy as np
import pytest

from trivium.comparison.null import always, constant, gains
from trivium.comparison.pairs import Rules, measure
from trivium.tasks.classification import METRICS, Classification
from trivium.tasks.scores import outcome, permuted

PRIOR = np.array([0.6, 0.3, 0.1])
TASK = Classification(["ash", "beech", "cedar"])


def train(shares):
    """Labels of train rows that have these class shares."""
    return np.repeat(np.arange(len(shares)), np.round(600 * np.asarray(shares)).astype(int))


def gained(known, shares, units, rules):
    """Of strategies on seeds of the same class shares in train."""
    task = Classification([f"c{k}" for k in range(len(shares))])
    results = measure(task, known, units, rules, (rules.metric.key,))
    return gains(task, known, [train(shares)] * len(units), units, results, rules)


def answers(rng, prior, y, skill=0.0, noise=1.0, bias=1.0):
    """Outcomes that know `skill` (logits) of the label and else scatter around the prior."""
    logits = bias * np.log(prior) + rng.normal(0, noise, (len(y), len(prior)))
    logits[np.arange(len(y)), y] += skill
    p = np.exp(logits)
    return outcome(p / p.sum(1, keepdims=True), y)


def drawn(seed, prior, metric, skills, seeds=3, tests=200, groups=0):
    """The gains of strategies of the given skills; the first answers one class nearly always."""
    rng = np.random.default_rng(seed)
    ys = [rng.choice(len(prior), size=tests, p=prior) for _ in range(seeds)]
    names = {f"s{k}": [answers(rng, prior, y, skill, bias=6.0 if k == 0 else 1.0) for y in ys]
             for k, skill in enumerate(skills)}
    units = [(np.arange(tests) % groups if groups else np.arange(tests) + tests * j) for j in range(seeds)]
    return gained(names, prior, units, Rules(resamples=150, metric=METRICS[metric]))


def test_the_constant_answer_by_hand():
    y = np.array([0, 0, 1, 2])
    (found,) = constant(TASK, [train(PRIOR)], [y])
    assert TASK.scores(found, ("accuracy", "nll", "brier")) == pytest.approx({
        "accuracy": 0.5, "nll": -np.log([0.6, 0.6, 0.3, 0.1]).mean(),
        "brier": (2 * (0.16 + 0.09 + 0.01) + (0.36 + 0.49 + 0.01) + (0.36 + 0.09 + 0.81)) / 4})
    assert always(TASK, [train(PRIOR), train([0.1, 0.2, 0.7])], [y, y], ("accuracy",)) == {
        "accuracy": 0.375}


def test_permuted_labels_in_closed_form_are_the_mean_of_permutations():
    rng = np.random.default_rng(0)
    y = rng.choice(3, size=60, p=PRIOR)
    found = answers(rng, PRIOR, y, skill=1.0)
    names = ("balanced_accuracy", "macro_f1")
    exact = {name: value[0] for name, value in permuted(found, np.ones((60, 1)), names).items()}
    drawn = []
    for _ in range(3000):
        p = np.eye(3)[found.prediction]
        drawn.append(TASK.scores(outcome(p, rng.permutation(y)), names))
    for name in names:
        assert exact[name] == pytest.approx(np.mean([one[name] for one in drawn]), abs=0.003)
    weights = np.repeat([[2.0], [0.0]], 30, axis=0)  # half of the samples, twice: the same as that half alone
    half = outcome(np.eye(3)[found.prediction[:30]], y[:30])
    for name in names:
        if set(y[:30]) == set(y):
            assert permuted(found, weights, names)[name] == pytest.approx(permuted(half, np.ones((30, 1)), names)[name])


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "macro_f1", "nll"])
@pytest.mark.parametrize("prior", [(1 / 3, 1 / 3, 1 / 3), (0.6, 0.3, 0.1)])
def test_who_knows_nothing_is_hardly_ever_called_learned(metric, prior):
    """Of 100 comparisons of four strategies at most 5 % may name any; 10 or more would be by chance in 2.8 %."""
    wrong = sum(any(gain.learned for gain in drawn(k, prior, metric, [0.0] * 4).values()) for k in range(100))
    assert wrong < 10


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "nll"])
def test_who_knows_something_is_called_learned_on_two_seeds(metric):
    for k in range(5):
        found = drawn(k, (1 / 3, 1 / 3, 1 / 3), metric, [0.0, 3.0, 0.0], seeds=2)
        assert [gain.learned for gain in found.values()] == [False, True, False]
        assert found["s1"].failed == 0 and found["s1"].p < 1e-9 and found["s0"].failed >= 0.5


def test_one_lucky_seed_of_five_is_not_surely_better():
    """That its models know something is sure; that another seed would is not."""
    rng = np.random.default_rng(0)
    ys = [rng.integers(3, size=200) for _ in range(5)]
    some = {"a": [answers(rng, np.ones(3) / 3, y, skill=6.0 if k == 2 else 0.0) for k, y in enumerate(ys)]}
    units = [np.arange(200) + 200 * k for k in range(5)]
    gain = gained(some, np.ones(3) / 3, units, Rules(resamples=200))["a"]
    assert gain.p_holm < 0.001 and gain.low < 0 and not gain.learned and gain.failed >= 0.6


def test_one_class_always_is_no_better_than_itself():
    """No scatter at all: neither learned nor a division by zero."""
    y = np.array([0, 1, 2] * 20)
    same = {"a": [outcome(np.tile([0.8, 0.1, 0.1], (60, 1)), y)] * 2}
    for metric in ("accuracy", "macro_f1"):
        gain = gained(same, [0.4, 0.3, 0.3], [np.arange(60)] * 2, Rules(resamples=50, metric=METRICS[metric]))["a"]
        assert (gain.learned, gain.failed, gain.p) == (False, 1.0, 1.0) and gain.mean == pytest.approx(0, abs=1e-12)


def test_what_many_samples_of_few_groups_say_is_not_sure():
    """Six speakers, of whom four are always right by chance: 1,200 answers, and yet six."""
    y = np.repeat([0, 1, 0, 1, 0, 1], 200)
    guess = np.repeat([0, 1, 0, 1, 1, 0], 200)
    known = {"a": [outcome(np.eye(2)[guess] * 0.8 + 0.1, y)] * 2}
    for units, learned in ((np.arange(1200), True), (np.arange(1200) // 200, False)):
        gain = gained(known, [0.5, 0.5], [units] * 2, Rules(resamples=400))["a"]
        assert gain.learned is learned and gain.mean == pytest.approx(1 / 6)


def test_what_is_clear_alone_may_be_chance_among_many():
    """41 right of 99, three times, where a constant has 33: p = 0.03 or so, and four times that among four."""
    y = np.arange(99) % 3

    def right(count):
        return [outcome(np.eye(3)[np.where(np.arange(99) < count, y, (y + 1) % 3)] * 0.7 + 0.1, y)] * 3

    units = [np.arange(99) + 99 * k for k in range(3)]
    found = {}
    for names in (["a"], ["a", "b", "c", "d"]):
        known = {name: right(41 if name == "a" else 33) for name in names}
        found[len(names)] = gained(known, np.ones(3) / 3, units, Rules(resamples=400))["a"]
    assert (found[1].learned, found[4].learned) == (True, False)
    assert found[4].p == found[1].p == found[1].p_holm < 0.05 < found[4].p_holm == 4 * found[4].p
