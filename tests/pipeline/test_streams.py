"""Two streams of pictures and one of text, each missing somewhere, through the whole pipeline."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers import command, set_params, tiny_project
from trivium.data import tables

pytestmark = pytest.mark.slow

ROWS = 150
STREAMS = ["title", "scan", "photo"]  # those that params.yaml named before, then what was found
MODALITIES = {"title": "text", "scan": "image", "photo": "image"}


def write(folder: Path) -> None:
    """Rows of three classes, which a photo, a scan and a title each tell in part; some share a picture."""
    folder.mkdir()
    templates = np.random.default_rng(1).integers(0, 256, (3, 12, 12))
    with (folder / "table.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "label", "Photo", "CT scan", "caption", "original"])
        for i in range(ROWS):
            rng, y = np.random.default_rng([2, i]), i % 3
            for name in ("photo", "scan"):
                pixels = templates[y] + rng.normal(0, 60, (12, 12))
                Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{name}{i}.png")
            scan = f"photo{i - 1}.png" if i in (50, 51) else f"scan{i}.png"  # the picture before, in the other column
            table.writerow([i, "abc"[y], "" if i % 5 == 0 else f"photo{i}.png", "" if i % 7 == 0 else scan,
                            "" if i % 4 == 0 else f"word{y} w{rng.integers(9)} n{i}", f"IMG_{i}.JPG"])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tiny_project(tmp_path_factory.mktemp("streams") / "project")
    write(project / "mine")
    params = tables.read_yaml(project / "params.yaml")
    images = {"modality": "image", "architecture": "cnn", "width": 8, "depth": 1, "processor": {"size": 8}}
    set_params(project, {
        "data.streams": {"scan": {"modality": "image", "column": "ct scan"},
                         "title": {"modality": "text", "column": "caption"}},
        "encoder.fine": images, "pretrain.selfsup": None, "pretrain.supervised_half": None,
        "pretrain.supervised.encoders.scan": "fine", "evaluate.analysis_rows": 32,
        "train": {name: params["train"][name] for name in ("end_to_end", "ensemble", "reference")}
        | {"attentive": {"start": "supervised", "strategy": "frozen", "fusion": "attention"}}})
    said = command(project, "trivium", "use", "mine/table.csv")
    assert "`original` of mine/table.csv names files of image, but none of the first is there" in said
    command(project, "dvc", "repro", "compare")
    return project


def read(project: Path, path: str) -> dict:
    return json.loads((project / path).read_text())


def test_tables_are_one_per_stream(project: Path) -> None:
    assert {path.stem for path in (project / "data/raw").glob("*.parquet")} == {"labels", *STREAMS}
    samples = tables.read(project / "data/aligned/samples.parquet")
    assert {f"{s}_start" for s in STREAMS} | {f"has_{s}" for s in STREAMS} <= set(samples.column_names)
    assert [sum(samples[f"has_{s}"].to_pylist()) for s in STREAMS] == [112, 128, 120]
    assert read(project, "data/aligned/meta.json")["streams"] == MODALITIES


def test_the_same_picture_in_two_streams_is_on_one_side(project: Path) -> None:
    splits = tables.read(project / "data/splits/splits.parquet").to_pylist()
    group = {row["sample"]: row["group"] for row in splits}
    assert group["49"] == group["50"] != group["52"]  # 50 is without a photo
    assert group["50"] != group["51"]  # its scan is that photo, which no row has


def test_encoders_are_per_modality_and_per_stream(project: Path) -> None:
    reads = {name: read(project, f"data/reads/{name}.json")["streams"] for name in ("scratch", "supervised")}
    assert [list(found) for found in reads.values()] == [STREAMS, STREAMS]
    assert [found["photo"]["entry"] for found in reads.values()] == ["patches", "patches"]
    assert [found["scan"]["entry"] for found in reads.values()] == ["patches", "fine"]
    assert reads["scratch"]["scan"]["features"].startswith("scan/")


def test_what_is_found_out_is_per_stream(project: Path) -> None:
    for name in ("end_to_end", "ensemble", "attentive", "reference"):
        metrics = read(project, f"reports/evaluate/{name}/metrics.json")
        assert metrics["streams"] == STREAMS
        seed = metrics["seeds"][0]
        assert set(seed["robustness"]["corruption"]) == set(seed["contribution"]["score"]) == set(STREAMS)
    dataset = read(project, "reports/comparison.json")["dataset"]
    assert dataset["streams"] == STREAMS
    report = (project / "reports/report.html").read_text()
    assert "no title" in report or "no photo" in report or "no scan" in report
    assert "noise on scan" in report.lower()


def test_new_rows_have_the_names_of_streams_or_of_columns(project: Path) -> None:
    for header in ("title,photo,scan", "Caption, PHOTO ,CT scan"):
        (project / "mine/new.csv").write_text(f"{header}\nword1,photo1.png,\n,,scan2.png\n")
        lines = command(project, "trivium", "predict", "end_to_end", "mine/new.csv").splitlines()
        assert lines[0] == "id,label,probability_a,probability_b,probability_c,warning,error" and lines[2].endswith(",")
    one = command(project, "trivium", "predict", "end_to_end", "--scan", "mine/scan2.png", "--title", "word2")
    assert sorted(line.split()[0] for line in one.splitlines()) == ["a", "b", "c"]
    assert "`--image` is not known here" in command(project, "trivium", "predict", "end_to_end", "--image", "x",
                                                         fails=True)


def test_another_name_of_a_column_trains_nothing(project: Path) -> None:
    before = (project / "models/end_to_end/training.json").read_bytes()
    table = (project / "mine/table.csv").read_text()
    (project / "mine/table.csv").write_text(table.replace("CT scan", "tomography", 1))
    set_params(project, {"data.streams.scan.column": "tomography"})
    said = command(project, "dvc", "repro", "compare")
    assert "Running stage 'ingest'" in said
    assert not any(f"Running stage '{name}" in said for name in ("split", "budget", "pretrain", "train", "evaluate"))
    assert (project / "models/end_to_end/training.json").read_bytes() == before
