import json
import time

import pytest

from tests.comparison.outs import CLASSES, write_outs, write_params
from trivium.comparison.build import build
from trivium.config import load
from trivium.data.tables import read_json

ACCURACIES = {"end_to_end": 0.70, "unimodal": 0.80, "ensemble": 0.90}


@pytest.fixture
def project(tmp_path, monkeypatch):
    write_outs(tmp_path, ACCURACIES, flops={"ensemble": 2e12}, hard=0.5)
    write_params(tmp_path, list(ACCURACIES))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_part_of_the_comparison(project):
    found = build(load())
    assert list(found) == ["dataset", "settings", "strategies", "pairs", "verdict"]
    assert found["dataset"]["title"] == "Trees" and found["dataset"]["classes"] == len(CLASSES)
    assert (found["dataset"]["train"], found["dataset"]["test"]) == (800, 400)
    assert found["settings"] == {"seeds": 5, "split": "holdout", "bootstrap": 300, "confidence": 0.95,
                                 "threshold": 0.75}
    best = found["strategies"]["ensemble"]
    assert best["rank"] == 1 and best["flops"] == 2e12 and best["parameters"] == {"total": 1000, "trained": 900}
    assert best["failed_share"] == 0 and list(best["seeds"]) == ["0", "1", "2", "3", "4"]
    assert best["accuracy"]["low"] < best["accuracy"]["mean"] < best["accuracy"]["high"] <= 1
    assert best["to_ceiling"] == pytest.approx(0.95 - best["accuracy"]["mean"], abs=1e-6)
    assert found["verdict"]["winner"] == "ensemble" and found["verdict"]["tied"] == ["ensemble"]
    first = found["pairs"][0]
    assert (first["a"], first["b"], first["verdict"], first["beats"]) == ("ensemble", "unimodal", "ensemble", True)
    assert first["difference"] == pytest.approx(
        best["accuracy"]["mean"] - found["strategies"]["unimodal"]["accuracy"]["mean"], abs=1e-6)
    json.dumps(found, allow_nan=False)


def test_agrees_with_what_evaluate_measured(project):
    found = build(load())
    for name, entry in found["strategies"].items():
        for record in read_json(f"reports/evaluate/{name}/metrics.json")["seeds"]:
            assert entry["seeds"][str(record["seed"])] == pytest.approx(record["metrics"], rel=1e-5)


def test_same_outs_same_comparison(project):
    assert build(load()) == build(load())


def test_folds_are_compared_with_nadeau_and_bengio(project):
    """n_test / n_train is 1/2 here; t with 4 degrees of freedom."""
    holdout = build(load())
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("method: holdout", "method: kfold"))
    folds = build(load())
    assert folds["settings"]["split"] == "kfold"
    for name in ACCURACIES:
        one, two = holdout["strategies"][name]["accuracy"], folds["strategies"][name]["accuracy"]
        assert two["high"] - two["mean"] == pytest.approx(2.77645 * two["sd"] * (1 / 5 + 1 / 2) ** 0.5, rel=1e-4)
        assert one["high"] - one["mean"] > 1.02 * 2.77645 * one["sd"] * (1 / 5) ** 0.5  # test sets share samples


def test_strategies_at_chance_are_said_to_have_failed(tmp_path, monkeypatch):
    write_outs(tmp_path, {"end_to_end": 1 / 3, "unimodal": 1 / 3}, seed_sd=0)
    write_params(tmp_path, ["end_to_end", "unimodal"])
    monkeypatch.chdir(tmp_path)
    found = build(load())
    assert found["strategies"]["unimodal"]["failed_share"] >= 0.8
    assert found["verdict"]["winner"] is None


def test_is_fast_enough(project):
    started = time.process_time()
    build(load())
    assert time.process_time() - started < 3
