"""Predictions of several strategies together, against those of each alone."""

from pathlib import Path

import numpy as np
import pytest

from tests.fake_outs import CLASSES, fake_data, fake_models, fake_outs
from trivium.comparison.intervals import Span
from trivium.comparison.out import PATH, Comparison
from trivium.comparison.together import Seed, Together
from trivium.serving.predict import predict_table
from trivium.serving.predictor import Predictor
from trivium.settings.errors import UserError
from trivium.tasks.classification import Classification
from trivium.training.records import Reached

NAMES = ("supervised_frozen", "supervised_lpft")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained models of two strategies; the mean of seed 0 has the lower validation NLL. To be read only."""
    folder = fake_outs(tmp_path_factory.mktemp("together"), dict.fromkeys(NAMES, 0.9))
    fake_data(folder)
    for name, fusion in zip(NAMES, ("concat", "attention"), strict=True):
        fake_models(folder, name, fusion=fusion)
    seeds = {str(k): Seed(weights=dict(zip(NAMES, (0.25, 0.75), strict=True)), calibration=[2.0], flops=1.0,
                          task=Classification(CLASSES).plain(), validation=Reached(nll=0.5 + k, score=0.9))
             for k in range(2)}
    found = Comparison.read(folder / PATH)
    about = Together(metrics={}, weights={}, against=NAMES[0], difference=Span(mean=0, low=0, high=0), beats=False,
                     flops=1.0, over_budget=1.0, seeds=seeds, sentence="")
    found.model_copy(update={"together": about}).write(folder / PATH)
    return folder


def test_the_weighed_mean_of_the_members_probabilities_is_calibrated(root: Path) -> None:
    from trivium import models
    from trivium.serving.predictor import preparation

    rows = [{"text": "alpha one"}, {"text": "beta", "image": str(root / "data/raw/media/3.png")}]
    each = []
    for name in NAMES:
        folder = root / "models" / name / "seed_0"
        each.append(Predictor(models.load(folder), preparation(root, 0, folder)).answers(rows)[0])
    mean = 0.25 * each[0] + 0.75 * each[1]
    expected = np.sqrt(mean) / np.sqrt(mean).sum(1, keepdims=True)  # at the temperature 2
    found, warnings, errors = Predictor.of_strategy(root, "together").answers(rows)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert warnings == errors == [None, None]


def test_a_table_with_rows_that_cannot_be_answered(root: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("id,text,image\na,alpha,\nb,,gone.png\nc,beta,gone.png\n")
    predict_table(root, "together", tmp_path / "new.csv", tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text().splitlines()
    why = "image 'gone.png' cannot be used: there is no such file"
    assert lines[1].startswith("a,") and lines[1].endswith(",,")
    assert lines[2].endswith(f",,{why}") and lines[2].startswith("b,,")
    assert lines[3].endswith(f",{why},")


def test_whose_answer_is_missing_is_said(root: Path) -> None:
    together = Predictor.of_strategy(root, "together")
    _, warnings, errors = together.answers([{}])
    assert warnings == [None] and errors == ["sample has no text or image or audio, and the models read nothing else"]
    member = together.members[NAMES[1]]  # type: ignore[attr-defined]
    member.read = ("image",)
    _, warnings, errors = together.answers([{"text": "alpha one"}])
    assert warnings == ["model of supervised_lpft has no answer to this sample"] and errors == [None]


def test_rows_are_described_for_every_stream_that_a_member_reads(root: Path) -> None:
    found = Predictor.of_strategy(root, "together").described([{"text": "alpha one"}])
    assert {s: one["state"] for s, one in found[0].items()} == {
        "text": "given", "image": "missing", "audio": "missing"}


def test_nothing_was_weighed(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Set `compare.together: true` in params.yaml and run `dvc repro`"):
        Predictor.of_strategy(tmp_path, "together")
