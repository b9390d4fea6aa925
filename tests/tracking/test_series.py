import math
from pathlib import Path

import pytest

from tests import evaluated, records
from tests.fake_outs import BUDGET, fake_outs
from tests.records import step
from trivium.comparison.budgets import Curves, Line, Point, Reached
from trivium.comparison.intervals import Span
from trivium.comparison.out import Verdict
from trivium.machine.measured import Latency, Measured, Sampled, Timed
from trivium.tracking import outs, series

SEED = records.seed(history=[step(120.0, 1.0, 0.9, 0.5, "head"), step(200.0, 0.5, 0.4, 0.9, "finetune")])


def test_steps_are_percent_of_the_budget_with_pretraining() -> None:
    assert series.curves(SEED) == {
        "train/loss": {60: 1.0, 100: 0.5}, "val/nll": {60: 0.9, 100: 0.4}, "val/score": {60: 0.5, 100: 0.9}}


def test_a_strategy_that_trains_nothing_has_one_point() -> None:
    seed = records.seed(flops=records.SPENT.model_copy(update={"total": 190.0}))
    assert series.curves(seed) == {"train/loss": {}, "val/nll": {95: 0.4}, "val/score": {95: 0.9}}
    assert series.mean_curves([seed, seed]) == {"val/nll": {95: 0.4}, "val/score": {95: 0.9}}


def test_mean_curve_interpolates_between_the_measurements_of_each_seed() -> None:
    other = records.seed(history=[step(100.0, 3.0, 1.0, 0.1), step(160.0, 2.0, 0.8, 0.4), step(200.0, 1.5, 0.6, 0.7)])
    # at 60 %: 1.0 and 3 - 1/3; at 80 %: 0.75 (half way) and 2.0; nothing at 50 %, which one seed did not reach
    mean = series.mean_curves([SEED, other])["train/loss"]
    assert list(mean) == [60, 80, 100]
    assert math.isclose(mean[60], (1.0 + 8 / 3) / 2) and math.isclose(mean[80], 1.375) and mean[100] == 1.0


def test_strategy_results_take_means_and_the_comparison_s_intervals(tmp_path: Path) -> None:
    found = outs.read(fake_outs(tmp_path))
    outcome = next(each for each in found.outcomes if each.name == "supervised_frozen")
    assert found.comparison is not None
    entry = found.comparison.strategies["supervised_frozen"]
    results = series.strategy_results(outcome, entry, outs.Took(
        Measured(seconds=12.5, peak_gpu_memory_bytes=700_000_000), None, None))
    expected = {
        "test/accuracy": 0.9, "test/accuracy_low": 0.88, "test/accuracy_high": 0.92, "rank": 1.0, "failed_share": 0.0,
        "subset_score/text-image": 0.6, "cost/train_flops": BUDGET, "cost/pretrain_flops": BUDGET / 2,
        "cost/parameters": 1000.0, "cost/seconds": 12.5, "cost/peak_gpu_memory_bytes": 7e8}
    assert {name: results[name] for name in expected} == expected


def test_what_the_exported_model_takes(tmp_path: Path) -> None:
    found = outs.read(fake_outs(tmp_path))
    outcome = next(each for each in found.outcomes if each.name == "supervised_frozen")
    latency = Latency(start_seconds=0.5, peak_memory_bytes=300_000_000, small=[
        Timed(rows=8, threads=1, calls=9, p50_ms=0.75)], times=[
        Timed(rows=1, threads=1, calls=200, p50_ms=0.25, p95_ms=0.5, p99_ms=1.5)])
    results = series.strategy_results(outcome, None, outs.Took(Measured(), None, None, latency))
    assert {name: value for name, value in results.items() if name.startswith("latency/")} == {
        "latency/start_seconds": 0.5, "latency/peak_memory_bytes": 3e8, "latency/rows_1_threads_1_p50_ms": 0.25,
        "latency/rows_1_threads_1_p95_ms": 0.5, "latency/rows_1_threads_1_p99_ms": 1.5,
        "latency/int8_rows_8_threads_1_p50_ms": 0.75}


def test_what_evaluate_measured_beyond_the_score() -> None:
    tested = evaluated.seed(
        contribution={"score": {"text": 0.3}, "log_probability": {}, "parts": {}, "subsets": {}},
        probes={"text": {"before": 0.1, "after": 0.2}},
        robustness={"corruption": {"text": {"levels": [0.0, 1.0], "score": [0.5, 0.3], "relative": 0.4}},
                    "misalignment": {}, "shift": {}, "attacks": {}},
        domain={"held_out": {"name": "phone", "n": 9, "metrics": {"accuracy": 0.5, "brier": 0.6}}})
    results = series.seed_results(SEED, tested)
    expected = {"contribution/text": 0.3, "probe/text": 0.2, "corrupted_score/text": 0.4,
                "held_out/accuracy": 0.5, "held_out/brier": 0.6}
    assert {name: results[name] for name in expected} == expected


def test_results_that_are_not_numbers_are_left_out() -> None:
    results = series.seed_results(SEED, evaluated.seed(metrics={"accuracy": 0.5, "nll": float("nan")}))
    assert "test/accuracy" in results and "test/nll" not in results


def test_final_results_have_step_0_and_six_digits() -> None:
    assert series.points({"test/accuracy": 2 / 3}, {"val/nll": {60: 0.1 + 0.2}}, 5) == [
        ("test/accuracy", 0.666667, 0, 5), ("val/nll", 0.3, 60, 5)]


def test_shares_of_compute_and_labels_are_steps_in_percent() -> None:
    def point(share: float, mean: float) -> Point:
        verdict = Verdict(learned=True, tied=[], behind=[], simple=False, sentence="", reason="")
        reached = Reached(value=Span(mean=mean, low=mean - 0.25, high=1.0), flops=1.0)
        return Point(share=share, words="", labels=9.0, strategies={"a": reached}, verdict=verdict)

    found = Curves(of="", compute=Line(points=[point(0.5, 0.5), point(1, 0.75)], sentence=""),
                   labels=Line(points=[point(0.25, 0.25)], sentence=""))
    assert series.by_share(found, "a", "r2") == {
        "budget/r2_by_compute": {50: 0.5, 100: 0.75}, "budget/r2_by_compute_low": {50: 0.25, 100: 0.5},
        "budget/r2_by_compute_high": {50: 1.0, 100: 1.0}, "budget/r2_by_labels": {25: 0.25},
        "budget/r2_by_labels_low": {25: 0.0}, "budget/r2_by_labels_high": {25: 1.0}}
    assert series.by_share(None, "a", "r2") == {}


def test_system_points_stand_at_the_time_they_were_sampled() -> None:
    sampled = Sampled(started=1000.0, seconds=[1.0, 2.5], series={"cpu_utilization_percentage": [10.0, 20.0]})
    assert series.system(sampled) == [
        ("system/cpu_utilization_percentage", 10.0, 1, 1_001_000),
        ("system/cpu_utilization_percentage", 20.0, 2, 1_002_500)]
    assert series.system(None) == []


@pytest.mark.parametrize(("name", "expected"), [
    ("pretrain.objective.text+audio", "pretrain.objective.text-audio"),
    ("subset_score/text_a-image", "subset_score/text_a-image"),
    ("mlflow.source.git.commit", "mlflow.source.git.commit"),
    ("a: b-c", "a: b-c"),
    ("größe", "größe"),
    ("dvc.data/x,y", "dvc.data/x_y"),
    ("a\nb=c", "a_b_c"),
    ("a//b", "_a__b"),
    ("a/../b", "_a_.._b"),
    ("/a", "__a"),
    ("..", "_.."),
    ("", "_"),
    ("k" * 251, "k" * 250),
])
def test_a_name_is_one_that_mlflow_takes(name: str, expected: str) -> None:
    from mlflow.utils import validation

    assert series.allowed(name) == expected
    validation._validate_metric_name(expected)
    assert len(expected) <= validation.MAX_ENTITY_KEY_LENGTH


def test_points_have_such_names() -> None:
    assert series.points({"a+b": 1.0}, {"c+d": {3: 2.0}}, 7) == [("a-b", 1.0, 0, 7), ("c-d", 2.0, 3, 7)]


def test_calls_are_as_large_as_mlflow_takes_them_and_tags_go_last() -> None:
    calls = series.batches(range(1700), range(250), range(3))
    assert [tuple(map(len, call)) for call in calls] == [(800, 100, 0), (800, 100, 0), (100, 50, 3)]
    assert [one for call in calls for one in call[0]] == list(range(1700))
    assert [tuple(map(len, call)) for call in series.batches([1], [], range(150))] == [(1, 0, 100), (0, 0, 50)]
    assert series.batches([], [], []) == []
