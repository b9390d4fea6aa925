"""One long table of recordings, through the whole pipeline: imported, learned, explained, drawn, and asked again."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import command, drawn, set_params, tiny_project
from trivium.data import tables

pytestmark = pytest.mark.slow
KEYS, POINTS = 120, 64


def table(path: Path, keys: range, labels: bool = True) -> None:
    """Recordings of 2 s of two channels: `slow` ones of 2 Hz, `quick` ones of 6 Hz. Three of a hundred are broken."""
    rng = np.random.default_rng(keys.start)
    lines = ["recording,time_ms,ax,ay" + ",label" * labels]
    for k in keys:
        wave = np.sin(2 * np.pi * (2, 6)[k % 2] * np.arange(POINTS) / 32 + rng.random() * 6)
        for i in range(POINTS):
            at = 31.25 * (i if k % 33 or i != 9 else 8)  # a time twice
            ay = "" if 20 <= i < 30 else f"{rng.normal():.3f}"
            lines.append(f"r{k},{at:g},{wave[i] + 0.3 * rng.normal():.3f},{ay}"
                         + f",{('slow', 'quick')[k % 2]}" * labels)
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tiny_project(tmp_path_factory.mktemp("series") / "project")
    table(project / "long.csv", range(KEYS))
    said = command(project, "trivium", "import", "long.csv")
    assert "long.csv is one long table of recordings" in said and "channels: ax, ay; time: `time_ms`" in said
    params = tables.read_yaml(project / "params.yaml")
    assert params["data"]["streams"] == {"series": {"modality": "series"}}
    for name in ("waves", "traits"):
        assert params["encoder"][name]["processor"] == {"channels": ["ax", "ay"], "rate": 32.0, "seconds": 2.0}
    set_params(project, {"encoder.waves.width": 16, "encoder.waves.depth": 1, "budget.epochs": 4,
                         "train": {name: params["train"][name] for name in ("end_to_end", "reference")}})
    command(project, "dvc", "repro")
    return project


def test_the_answer_is_found_and_broken_recordings_are_told(project: Path) -> None:
    found = json.loads((project / "reports/comparison.json").read_text())["strategies"]
    assert found["reference"]["metrics"]["accuracy"]["mean"] > 0.95
    bad = tables.read(project / "data/valid/quarantine.parquet").to_pylist()
    assert {row["reason"] for row in bad if row["table"] == "series"} == {
        "point 10 (0.25 s) has the same time as the one before"}


def test_robustness_and_moments_are_told_and_drawn(project: Path) -> None:
    found = json.loads((project / "reports/evaluate/end_to_end/metrics.json").read_text())["seeds"][0]
    assert len(found["robustness"]["corruption"]["series"]["score"]) == 6
    assert set(found["robustness"]["shift"]["series"]) == {"0.0", "0.1", "0.25"}
    assert set(found["attribution"]["deletion"]["series"]) >= {"area", "random"}
    picture = next((project / "reports/evaluate/end_to_end/pictures").glob("*.svg"))
    assert {"ax", "ay", "0", "1", "2 s"} <= set(drawn(picture)[2])
    told = json.loads((project / "reports/evaluate/end_to_end/explained.json").read_text())
    assert [name for name, _, _ in told["channels"]["series"]] == ["ax", "ay"] and "steps" not in told
    page = (project / "reports/report.html").read_text()
    assert "data:image/svg+xml;base64," in page and "Series of sample r" in page


def test_new_recordings_are_answered_from_a_long_table(project: Path) -> None:
    table(project / "new.csv", range(200, 204), labels=False)
    command(project, "trivium", "predict", "reference", "new.csv", "--out", "out.csv")
    with (project / "out.csv").open(newline="") as file:
        assert [(row["id"], row["label"]) for row in csv.DictReader(file)] == [
            ("r200", "slow"), ("r201", "quick"), ("r202", "slow"), ("r203", "quick")]


def test_a_log_without_a_key_is_answered_window_by_window(project: Path) -> None:
    table(project / "parts.csv", range(204, 208), labels=False)
    lines = [line.split(",") for line in (project / "parts.csv").read_text().splitlines()]
    log = [",".join([str(31.25 * k), *line[2:]]) for k, line in enumerate(lines[1:])]
    (project / "log.csv").write_text("\n".join(["time_ms,ax,ay", *log]) + "\n")
    command(project, "trivium", "predict", "reference", "log.csv", "--window", "2", "--out", "windows.csv")
    with (project / "windows.csv").open(newline="") as file:
        assert [(row["id"], row["label"]) for row in csv.DictReader(file)] == [
            ("log@0", "slow"), ("log@2", "quick"), ("log@4", "slow"), ("log@6", "quick")]
    said = command(project, "trivium", "predict", "reference", "log.csv", fails=True)
    assert "log.csv has no column series, but a time: if its rows are moments, add" in said


def test_the_exported_model_measures_what_it_is_asked(project: Path) -> None:
    reference = json.loads((project / "export/reference.json").read_text())
    words = set(str(reference).split("'"))
    assert {"duration", "points", "step", "gaps", "ax mean", "ay deviation"} <= words
