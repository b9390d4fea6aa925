"""The mean of all strategies' answers, weighed on validation."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.comparison.outs import BUDGET, CLASSES, change, compared, write_outs
from trivium.comparison import together
from trivium.data.tables import read_json, write, write_json
from trivium.evaluation import predictions
from trivium.tasks.classification import Classification
from trivium.tasks.multilabel import MultiLabel
from trivium.tasks.ordinal import Ordinal
from trivium.tasks.regression import Regression

TASK, SEEDS, NAMES = Classification(CLASSES), 3, ("end_to_end", "unimodal", "ensemble")
SEEN = np.arange(60) % 3
LABELS = (SEEN + 2 * (np.arange(60) % 5 == 0)) % 3
UNSURE, SURE = [0.4, 0.3, 0.3], [0.9, 0.05, 0.05]  # of the right class first


def said(y: np.ndarray, of_first: list[float], of_others: list[float]) -> np.ndarray:
    """Probabilities [N, 3]: one answer where the label is class 0, another where it is not; the label's share first."""
    found = np.empty((len(y), 3))
    for row, label in enumerate(y):
        found[row] = np.roll(of_first if label == 0 else of_others, label)
    return found


def put(root: Path, name: str, file: str, y: np.ndarray, stored: np.ndarray) -> None:
    parts = [predictions.table(TASK, seed, [f"t{k:05}" for k in range(len(y))], y, stored) for seed in range(SEEDS)]
    write(pa.concat_tables(parts), root / f"reports/evaluate/{name}/{file}")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One strategy knows class 0, another the other classes, and the third is wrong. Of five samples, one has another
    label than its inputs say.
    """
    root = write_outs(tmp_path, dict.fromkeys(NAMES, 0.7), seeds=SEEDS, samples=90, tests=60)
    wrong = [0.05, 0.9, 0.05]
    answers = {"end_to_end": said(SEEN, SURE, UNSURE), "unimodal": said(SEEN, UNSURE, SURE),
               "ensemble": said(SEEN, wrong, wrong)}
    for name, stored in answers.items():
        put(root, name, "validation.parquet", LABELS, stored)
        put(root, name, "predictions.parquet", LABELS, stored)
        about = read_json(root / f"reports/evaluate/{name}/metrics.json")
        spent = {"budget": BUDGET, "pretrain": 0.25 * BUDGET, "train": 0.5 * BUDGET, "total": 0.75 * BUDGET}
        for seed in about["seeds"]:
            seed["training"]["flops"] = spent
        write_json(about, root / f"reports/evaluate/{name}/metrics.json")
    return root


def test_those_who_know_different_things_are_taken_and_the_third_is_left_out(project: Path) -> None:
    found = compared(project, NAMES)["together"]
    assert found["weights"]["ensemble"] == 0
    assert found["weights"]["end_to_end"] + found["weights"]["unimodal"] == pytest.approx(1)
    assert min(found["weights"]["end_to_end"], found["weights"]["unimodal"]) > 0.2
    assert list(found["seeds"]) == ["0", "1", "2"] and set(found["seeds"]["1"]["weights"]) == {"end_to_end", "unimodal"}
    assert found["metrics"]["accuracy"]["mean"] == pytest.approx(0.8)
    alone = compared(project, NAMES)["strategies"]["unimodal"]["metrics"]["nll"]["mean"]
    assert found["metrics"]["nll"]["mean"] < alone - 0.05
    assert found["sentence"].startswith("Together, weighed by what each adds on validation, 2 of the 3 strategies "
                                        "reach 80.0 % accuracy at ")


def test_the_mean_by_hand(project: Path) -> None:
    """Weights are whole twentieths; the mean of probabilities is calibrated with a temperature."""
    found = compared(project, NAMES)["together"]["seeds"]["0"]
    share = found["weights"]["unimodal"]
    mean = share * said(SEEN, UNSURE, SURE) + (1 - share) * said(SEEN, SURE, UNSURE)
    hot = mean ** (1 / np.ravel(found["calibration"])[0])
    own = (hot / hot.sum(1, keepdims=True))[np.arange(60), LABELS]
    assert found["validation"]["nll"] == pytest.approx(-np.log(own).mean(), rel=1e-4)
    assert found["validation"]["score"] == pytest.approx(0.8)


def test_a_recipe_that_several_start_from_is_paid_once(project: Path) -> None:
    change(project, "unimodal", start="supervised")
    change(project, "end_to_end", start="supervised")
    found = compared(project, NAMES)["together"]
    assert found["flops"] == (0.25 + 0.5 + 0.5) * BUDGET and found["over_budget"] == 1.25
    change(project, "end_to_end", start="scratch")
    assert compared(project, NAMES)["together"]["flops"] == (0.25 + 0.25 + 0.5 + 0.5) * BUDGET


def test_one_alone_has_a_weight(project: Path) -> None:
    for name in NAMES[1:]:
        put(project, name, "validation.parquet", LABELS, said(SEEN, [0.05, 0.9, 0.05], [0.05, 0.9, 0.05]))
    found = compared(project, NAMES)["together"]
    assert found["weights"] == {"end_to_end": 1.0, "unimodal": 0.0, "ensemble": 0.0}
    assert found["sentence"] == ("“End to end” alone has a weight: on validation, no other strategy adds anything to "
                                 "its answers.")


def test_validation_chooses_and_test_judges(project: Path) -> None:
    """The strategy that validation does not want would be right on every test sample."""
    right = [0.98, 0.01, 0.01]
    put(project, "ensemble", "predictions.parquet", LABELS, said(LABELS, right, right))
    assert compared(project, NAMES)["together"]["weights"]["ensemble"] == 0


def test_of_many_validation_samples_a_part_is_enough(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three strategies, 60 samples, three classes: 540 numbers. Of the samples that are left, no label is odd."""
    monkeypatch.setattr(together, "CELLS", 540 // 5)
    labels = np.where(np.arange(60) % 5 == 0, SEEN, LABELS)
    for name, stored in (("end_to_end", said(SEEN, SURE, UNSURE)), ("unimodal", said(SEEN, UNSURE, SURE)),
                         ("ensemble", said(SEEN, [0.05, 0.9, 0.05], [0.05, 0.9, 0.05]))):
        put(project, name, "validation.parquet", np.where(np.arange(60) % 5 == 0, labels, (SEEN + 1) % 3), stored)
    found = compared(project, NAMES)["together"]
    assert found["seeds"]["0"]["validation"]["score"] == 1.0 and found["weights"]["ensemble"] == 0


def test_it_is_left_out(project: Path) -> None:
    assert "together" not in compared(project, NAMES, together=False)
    assert "together" not in compared(project, NAMES[:1])
    (project / "reports/evaluate/unimodal/validation.parquet").unlink()
    assert list(compared(project, NAMES)["together"]["weights"]) == ["end_to_end", "ensemble"]
    (project / "reports/evaluate/ensemble/validation.parquet").unlink()
    assert "together" not in compared(project, NAMES)


@pytest.mark.parametrize(("task", "answers"), [
    (Classification(CLASSES), np.log([[0.2, 0.3, 0.5], [0.98, 0.01, 0.01]])),
    (Ordinal(["low", "mid", "high"]), np.log([[0.2, 0.3, 0.5], [0.98, 0.01, 0.01]])),
    (MultiLabel(["big", "red"]), np.array([[-2.0, 0.5], [3.0, 0.0]])),
    (Regression({"price": "EUR"}, scale=[70.0]), np.array([[120.0, 0.5], [80.0, -1.0]])),
])
def test_what_is_stored_comes_back(task: object, answers: np.ndarray) -> None:
    import torch

    stored = task.stored(torch.from_numpy(answers)).astype(np.float32)
    np.testing.assert_allclose(task.restored(stored).numpy(), answers, rtol=1e-4, atol=1e-6)
