"""The pipeline with tuning on, for real."""

import csv
import json
import re
from pathlib import Path

import pytest

from tests.helpers import command, set_params, tiny_project
from trivium.training.records import Trained

pytestmark = pytest.mark.slow

FIRST = {"text": "words", "image": "patches"}


def test_tuning_is_cached_and_told_everywhere(tmp_path: Path) -> None:
    project = tiny_project(tmp_path, tune__trials=3, data__streams={s: {"modality": s} for s in FIRST})
    set_params(project, {
        "compare.reference": "linear", "evaluate.analysis_rows": 32,
        "pretrain": {"scratch": {"encoders": FIRST}},
        "train": {"end_to_end": {"start": "scratch", "strategy": "joint"},
                  "linear": {"start": "scratch", "strategy": "linear"}}})
    said = command(project, "dvc", "repro", "compare")
    assert "linear: nothing to tune" in said
    trained = Trained.of("end_to_end", project)
    assert trained and trained.tuning and [len(seed.trials) for seed in trained.tuning.seeds] == [3, 3]
    found = json.loads((project / "reports/comparison.json").read_text())
    assert found["verdict"]["sentence"].startswith("At 3 trials each, ")
    assert 'id="tuning"' in (project / "reports/report.html").read_text()
    (trials,) = (project / "mlruns").rglob("trials.csv")
    with trials.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["seed"], row["trial"]) for row in rows] == [(s, t) for s in "01" for t in "012"]
    assert [row["lr"] for row in rows if row["chosen"] == "True"] == [
        str(seed.chosen["lr"]) for seed in trained.tuning.seeds]
    assert len(list((project / "reports/measured").glob("train@end_to_end.json"))) == 1

    set_params(project, {"train.end_to_end.title": "Other"})  # which no trial depends on
    said = command(project, "dvc", "repro", "train@end_to_end")
    assert set(re.findall(r"Running stage '([^']+)'", said)) == {"budget", "train@end_to_end"}
    assert "end_to_end, 3 trials: 2 of 2 were finished before" in said
    again = Trained.of("end_to_end", project)
    assert again and again.tuning == trained.tuning
