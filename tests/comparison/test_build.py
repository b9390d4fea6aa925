import json
import time

import numpy as np
import pyarrow as pa
import pytest

from tests.comparison.outs import CLASSES, STREAMS, TITLES, change, compared, skip, write_outs
from trivium.data.tables import read, read_json, write, write_json
from trivium.evaluation import predictions
from trivium.tasks.classification import METRICS, Classification

ACCURACIES = {"end_to_end": 0.70, "unimodal": 0.80, "ensemble": 0.90}


@pytest.fixture
def project(tmp_path):
    return write_outs(tmp_path, ACCURACIES, flops={"ensemble": 1.02e12}, hard=0.5)


def test_every_part_of_the_comparison(project):
    found = compared(project, ACCURACIES)
    assert sorted(found) == ["beside", "constant", "dataset", "metric", "metrics", "pairs", "robustness", "score",
                             "settings", "similarity", "skipped", "strategies", "verdict"]
    assert found["dataset"]["title"] == "Trees" and found["dataset"]["outputs"] == len(CLASSES)
    assert found["dataset"]["streams"] == STREAMS and found["dataset"]["task"] == "classification"
    assert found["metric"] == "accuracy" and list(found["metrics"]) == list(METRICS)
    assert (found["dataset"]["train"], found["dataset"]["test"]) == (800, 400)
    assert found["settings"] == {"seeds": 5, "split": "holdout", "bootstrap": 300, "confidence": 0.95,
                                 "threshold": 0.75, "metric": "auto", "reference": "", "together": True,
                                 "latency": True}
    best = found["strategies"]["ensemble"]
    accuracy = best["metrics"]["accuracy"]
    assert best["title"] == "Ensemble" and best["strategy"] == "ensemble" and best["start"] == "supervised"
    assert best["rank"] == 1 and best["flops"] == 1.02e12 and best["parameters"] == {"total": 1000, "trained": 900}
    assert best["over_budget"] == 1.02 and best["learned"] is True
    assert best["failed_share"] == 0 and list(best["seeds"]) == ["0", "1", "2", "3", "4"]
    assert accuracy["low"] < accuracy["mean"] < accuracy["high"] <= 1
    assert best["to_ceiling"] == pytest.approx(0.95 - accuracy["mean"], abs=1e-6)
    assert best["gain"]["mean"] == pytest.approx(
        accuracy["mean"] - found["constant"]["metrics"]["accuracy"], abs=1e-6)
    assert found["verdict"]["winner"] == "ensemble" and found["verdict"]["tied"] == ["ensemble"]
    assert found["verdict"]["recommended"] == found["verdict"]["within"] == "ensemble" and found["verdict"]["learned"]
    first = found["pairs"][0]
    assert (first["a"], first["b"], first["verdict"], first["beats"]) == ("ensemble", "unimodal", "better", True)
    assert first["difference"] == pytest.approx(
        accuracy["mean"] - found["strategies"]["unimodal"]["metrics"]["accuracy"]["mean"], abs=1e-6)
    json.dumps(found, allow_nan=False)


def test_agrees_with_what_evaluate_measured(project):
    found = compared(project, ACCURACIES)
    for name, entry in found["strategies"].items():
        for record in read_json(project / f"reports/evaluate/{name}/metrics.json")["seeds"]:
            assert entry["seeds"][str(record["seed"])] == pytest.approx(record["metrics"], rel=1e-5)


def test_same_outs_same_comparison(project):
    assert compared(project, ACCURACIES) == compared(project, ACCURACIES)


def test_folds_are_compared_with_nadeau_and_bengio(project):
    """n_test / n_train is 1/2 here; t with 4 degrees of freedom."""
    holdout, folds = compared(project, ACCURACIES), compared(project, ACCURACIES, "kfold")
    assert folds["settings"]["split"] == "kfold"
    for name in ACCURACIES:
        one, two = holdout["strategies"][name]["metrics"]["accuracy"], folds["strategies"][name]["metrics"]["accuracy"]
        assert two["high"] - two["mean"] == pytest.approx(2.77645 * two["sd"] * (1 / 5 + 1 / 2) ** 0.5, rel=1e-4)
        assert one["high"] - one["mean"] > 1.02 * 2.77645 * one["sd"] * (1 / 5) ** 0.5  # test sets share samples


def test_where_nothing_was_learned_nothing_is_recommended(tmp_path):
    write_outs(tmp_path, {"end_to_end": 1 / 3, "unimodal": 1 / 3}, seed_sd=0)
    for metric in ("accuracy", "balanced_accuracy", "macro_f1", "nll"):
        found = compared(tmp_path, ["end_to_end", "unimodal"], metric=metric)
        assert found["strategies"]["unimodal"]["failed_share"] >= 0.8
        verdict = found["verdict"]
        assert not {"winner", "recommended", "within"} & set(verdict)
        assert (verdict["learned"], verdict["tied"], verdict["behind"]) == (False, [], [])
        assert verdict["sentence"].startswith("Nothing was learned: no strategy is surely better than ")
        assert "published weights" in verdict["reason"]
        assert not any(entry["learned"] for entry in found["strategies"].values())


def test_the_constant_answer_has_its_line(tmp_path):
    """Shares of 8, 1 and 1 in ten: NLL 0.639 nats, F1 0.89 of the first class and 0 of the others."""
    write_outs(tmp_path, {"unimodal": 0.5, "ensemble": 0.95}, prior=(8, 1, 1), samples=4000, tests=2000)
    found = compared(tmp_path, ["unimodal", "ensemble"])
    constant = found["constant"]["metrics"]
    assert found["constant"]["label"] == "ash" and constant["balanced_accuracy"] == pytest.approx(1 / 3)
    assert constant["accuracy"] == pytest.approx(0.8, abs=0.02) and constant["macro_f1"] == pytest.approx(0.3, abs=0.01)
    assert constant["nll"] == pytest.approx(0.639, abs=0.04)
    worse = found["strategies"]["unimodal"]
    assert not worse["learned"] and worse["gain"]["mean"] == pytest.approx(0.5 - 0.8, abs=0.03)
    assert found["verdict"]["recommended"] == "ensemble"
    assert "Not surely better than always answering “ash”" in found["verdict"]["reason"]
    balanced = compared(tmp_path, ["unimodal", "ensemble"], metric="macro_f1")
    assert balanced["strategies"]["unimodal"]["learned"]  # it knows something, if not what is most common


def test_one_class_nearly_always(tmp_path):
    write_outs(tmp_path, {"unimodal": 0.5, "ensemble": 0.9}, prior=(1, 1, 1))
    path = tmp_path / "reports/evaluate/unimodal/predictions.parquet"
    table = read(path).to_pandas()
    table["prediction"] = 2
    table["answer"] = [[0.1, 0.1, 0.8]] * len(table)
    write(pa.Table.from_pandas(table, predictions.schema(Classification(CLASSES)), preserve_index=False), path)
    found = compared(tmp_path, ["unimodal", "ensemble"])["strategies"]
    assert found["unimodal"]["one_class"] == 1 and found["ensemble"]["one_class"] < 0.4
    assert not found["unimodal"]["learned"]


def test_the_likelihood_ranks_in_nats_and_less_is_better(project):
    found = compared(project, ACCURACIES, metric="nll")
    assert found["metric"] == "nll"
    first, strategies = found["pairs"][0], found["strategies"]
    assert (first["a"], first["b"]) == ("ensemble", "unimodal") and first["difference"] > 0
    assert first["difference"] == pytest.approx(strategies["unimodal"]["metrics"]["nll"]["mean"]
                                                - strategies["ensemble"]["metrics"]["nll"]["mean"], abs=1e-5)
    assert strategies["ensemble"]["gain"]["mean"] == pytest.approx(
        found["constant"]["metrics"]["nll"] - strategies["ensemble"]["metrics"]["nll"]["mean"], abs=1e-5)
    assert f"by {first['difference']:.3f} nats (95 % interval {first['low']:.3f} to " in found["verdict"]["sentence"]


def test_the_setting_of_the_budget_that_counts_is_named(tmp_path):
    write_outs(tmp_path, {"end_to_end": 1 / 3, "ensemble": 1 / 3}, seeds=2, samples=200, tests=80)
    for epochs, setting in ((20, "epochs"), (None, "flops")):
        write_json({"of": "end_to_end", "epochs": epochs, "flops": [1e12] * 2}, tmp_path / "models/budget.json")
        assert f"Try a larger budget (`budget.{setting}`)" in compared(
            tmp_path, ["end_to_end", "ensemble"])["verdict"]["reason"]


def test_a_strategy_without_an_error_is_not_sure_to_make_none(tmp_path):
    """0.05^(1 / 150): the test sets of both seeds hold 150 samples or so in all."""
    write_outs(tmp_path, {"end_to_end": 1.0, "ensemble": 0.8, "unimodal": 0.0}, seeds=2, samples=200, tests=100,
               seed_sd=0)
    found = compared(tmp_path, ["end_to_end", "ensemble", "unimodal"])
    right, wrong = (found["strategies"][name]["metrics"]["accuracy"] for name in ("end_to_end", "unimodal"))
    assert (right["mean"], right["high"]) == (1.0, 1.0) and 0.975 < right["low"] < 0.985
    assert (wrong["mean"], wrong["low"]) == (0.0, 0.0) and wrong["high"] == pytest.approx(1 - right["low"], abs=1e-5)


def test_what_was_not_begun_is_listed_apart(project):
    skip(project, "unimodal")
    found = compared(project, ACCURACIES)
    assert list(found["strategies"]) == ["end_to_end", "ensemble"] and len(found["pairs"]) == 1
    assert found["skipped"] == {"unimodal": {
        "title": TITLES["unimodal"], "budget": 1e12, "needed": 3e12, "setting": "`budget.epochs: 60`",
        "sentence": "Best single stream was not begun: it needs more."}}
    assert found["verdict"]["reason"].endswith("Best single stream was not begun: it needs more.")
    skip(project, "ensemble")
    assert compared(project, ACCURACIES)["verdict"]["reason"].endswith(
        "“Best single stream” and “Ensemble” were not begun: the budget does not pay for one epoch of what they train. "
        "With `budget.epochs: 60` in params.yaml it does for all of them.")


def test_what_costs_more_than_the_budget_is_eligible_with_its_price(tmp_path):
    write_outs(tmp_path, {"unimodal": 0.70, "end_to_end": 0.72, "ensemble": 0.9}, flops={"ensemble": 2.1e12})
    found = compared(tmp_path, ["unimodal", "end_to_end", "ensemble"])
    verdict = found["verdict"]
    assert found["strategies"]["ensemble"]["over_budget"] == 2.1
    assert (verdict["recommended"], verdict["within"]) == ("ensemble", "end_to_end")
    assert verdict["sentence"].startswith("Within the budget, take “End to end”")
    assert "More compute buys more: “Ensemble”, at 2.1 × the budget, is surely ahead of “End to end” by 1" in (
        verdict["sentence"])
    assert verdict["sentence"].endswith(". Take it.")


def test_the_reference_is_taken_for_being_simple(tmp_path):
    write_outs(tmp_path, {"unimodal": 0.80, "ensemble": 0.80, "end_to_end": 0.7}, tests=900, seed_sd=0.005, hard=0.9)
    for reference in ("unimodal", "ensemble"):
        verdict = compared(tmp_path, ["unimodal", "ensemble", "end_to_end"], reference=reference)["verdict"]
        assert (verdict["recommended"], verdict["simple"]) == (reference, True)
    verdict = compared(tmp_path, ["unimodal", "ensemble", "end_to_end"], reference="end_to_end")["verdict"]
    assert verdict["recommended"] != "end_to_end" and not verdict["simple"]


def test_what_was_chosen_and_whose_weights_were_published_is_told(project):
    change(project, "unimodal", training={"chosen": "audio"})
    change(project, "ensemble", recipe={"objectives": [], "encoders": {"text": "minilm"}, "published": ["text"],
                                        "external": "all-MiniLM-L6-v2"})
    found = compared(project, ACCURACIES)
    assert found["strategies"]["unimodal"]["chosen"] == dict.fromkeys("01234", "audio")
    assert "chosen" not in found["strategies"]["ensemble"]
    assert found["verdict"]["reason"].endswith(
        "Its weights for text (`minilm`) were published (all-MiniLM-L6-v2); what went into them is in no budget here.")


def test_groups_are_counted_as_they_are(tmp_path):
    """Six speakers are six, however many test sets they are in."""
    names = ["unimodal", "ensemble"]
    write_outs(tmp_path / "six", {"unimodal": 0.8, "ensemble": 0.9}, groups=6)
    about = compared(tmp_path / "six", names)["dataset"]
    assert (about["groups"], about["test_groups"], about["resampled"]) == (6, 6, True)
    write_outs(tmp_path / "two", {"unimodal": 0.8, "ensemble": 0.9}, groups=2)
    about = compared(tmp_path / "two", names)["dataset"]
    assert (about["groups"], about["test_groups"], about["resampled"]) == (2, 2, False)


def test_samples_count_by_their_weights(project):
    path = project / "data/features/samples.parquet"
    samples, plain = read(path), compared(project, ACCURACIES)
    same, weight = np.full(len(samples), 3.0), np.where(samples["y"].to_numpy() == 0, 4.0, 1.0)
    write(samples.append_column("weight", pa.array(same, pa.float32())), path)
    assert compared(project, ACCURACIES)["strategies"] == plain["strategies"]
    write(samples.append_column("weight", pa.array(weight, pa.float32())), path)
    found = compared(project, ACCURACIES)
    of = dict(zip(samples["sample"].to_pylist(), weight, strict=True))
    for name in ACCURACIES:
        table = read(project / f"reports/evaluate/{name}/predictions.parquet").to_pandas()
        for seed, own in table.groupby("seed"):
            expected = np.average(own["y"] == own["prediction"], weights=own["sample"].map(of))
            assert found["strategies"][name]["seeds"][str(seed)]["accuracy"] == pytest.approx(expected, abs=1e-6)
    assert found["constant"]["metrics"]["accuracy"] != pytest.approx(plain["constant"]["metrics"]["accuracy"], abs=0.1)


def test_is_fast_enough(project):
    started = time.process_time()
    compared(project, ACCURACIES)
    assert time.process_time() - started < 3


def test_tuning_is_told_of_each_strategy(project):
    assert "trials" not in compared(project, ACCURACIES)["strategies"]["end_to_end"]
    trial = {"settings": {"lr": 0.003}, "nll": 0.5, "share": 1.0, "flops": 2e12}
    tuned = [{"seed": k, "chosen": {"lr": 0.003}, "trials": [trial, trial | {"flops": k * 1e12}]} for k in range(5)]
    for name in ACCURACIES:
        path = project / "models" / name / "training.json"
        seeds = tuned if name == "end_to_end" else []
        write_json(read_json(path) | {"tuning": {"trials": 2 if seeds else 0, "space": {}, "seeds": seeds}}, path)
    found = compared(project, ACCURACIES)
    assert found["strategies"]["end_to_end"]["trials"] == 2 and found["strategies"]["end_to_end"]["tuning"] == 4e12
    assert found["strategies"]["ensemble"]["trials"] == 0 and "tuning" not in found["strategies"]["ensemble"]
    assert found["verdict"]["sentence"].startswith("At 2 trials each, take ")
    assert "Nothing to tune: “Best single stream” and “Ensemble”." in found["verdict"]["reason"]
