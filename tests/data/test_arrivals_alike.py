"""Further rows beside old ones: near-duplicates of an old row are on its side, and times decide where they should."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trivium import tasks
from trivium.data import arrivals, tables, twins
from trivium.data.alignment import align
from trivium.data.arrivals import Places
from trivium.data.meta import Meta
from trivium.data.settings import Align, Manifest, Near, Split, Stream, Validate
from trivium.data.sources import manifest
from trivium.data.splits import TEST, TRAIN, VAL, split
from trivium.data.validation import validate
from trivium.tasks import Task
from trivium.tasks.classification import Classification

STREAMS, SEEDS, OLD, COPIES, OTHERS = {"image": "image"}, 2, 80, 12, 40
VALIDATE = Validate(max_bad_fraction=0, min_class_count=2, text_length=(1, 9), image_side=(1, 64),
                    audio_seconds=(0.1, 9))


def written(folder: Path, pictures: dict[str, Image.Image], year: int, how: dict[str, object]) -> Path:
    """A table of pictures: a day each, from the first of January on."""
    folder.mkdir(parents=True)
    with (folder / "rows.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "label", "image", "time"])
        for k, (name, picture) in enumerate(pictures.items()):
            picture.save(folder / name, **how)
            rows.writerow([f"{k:03}", "ab"[k % 2], name, f"{year}-{1 + k // 28:02}-{1 + k % 28:02}"])
    return folder / "rows.csv"


def stages(path: Path, out: Path, task: Task | None = None) -> Task:
    streams = {s: Stream(modality=kind) for s, kind in STREAMS.items()}
    known = Manifest(path=str(path), id="id", label="label", group="", split="", language="", domain="", start="",
                     end="", time="time")
    manifest.write(out / "raw", known, 0, streams, Classification, further=task is not None)
    validate(out / "raw", out / "valid", STREAMS, VALIDATE, "classification", task)
    align(out / "valid", out / "aligned", STREAMS, Align(tolerance=0), whole=True)
    return tasks.of(Meta.read(out / "aligned/meta.json").task or {})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first further rows are the first old ones at a low quality; they lie in another folder."""
    root = tmp_path_factory.mktemp("arrivals")
    rng = np.random.default_rng(0)
    drawn = [Image.fromarray(rng.integers(0, 256, (8, 8), np.uint8)).resize((48, 48)) for _ in range(OLD + OTHERS)]
    old = written(root / "mine", {f"{k}.png": one for k, one in enumerate(drawn[:OLD])}, 2020, {})
    new = written(root / "later/deep", {f"{k}.jpg": one for k, one in enumerate([*drawn[:COPIES], *drawn[OLD:]])}, 2021,
                  {"quality": 60})
    before = Path.cwd()
    os.chdir(root)
    try:
        stages(new, root / "new", stages(old, root / "data"))
    finally:
        os.chdir(before)
    return root


def placed(root: Path, monkeypatch: pytest.MonkeyPatch, settings: Split) -> tuple[Places, np.ndarray]:
    """Where further rows are, and where old ones, int [seeds, rows]."""
    monkeypatch.chdir(root)
    tied = {STREAMS[one.names[0]]: one.by_row() for one in twins.find("data/aligned", 0.01, settings.near_duplicates)}
    split("data/aligned", "data/splits", settings, SEEDS, tied if settings.near_duplicates else None)
    task = Classification(["a", "b"])
    found = arrivals.place(root, root / "new/valid", root / "new/aligned", STREAMS, settings, SEEDS, task, 0.01)
    drawn = tables.read("data/splits/splits.parquet")
    return found, np.array([[tables.SPLITS.index(side) for side in drawn[f"seed_{k}"].to_pylist()]
                            for k in range(SEEDS)])


def settings(**changes: object) -> Split:
    return Split.model_validate({"method": "holdout", "val": 0.25, "test": 0.25, "labels": 1.0,
                                 "group_identical_text": False, "held_out_domain": ""} | changes)


def test_a_near_duplicate_of_an_old_row_is_on_its_side(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    near, old = placed(made, monkeypatch, settings(near_duplicates=Near(image=0.95)))
    assert np.isin(near.sides, (TRAIN, VAL, TEST)).all()
    assert near.sides[:, :COPIES].tolist() == old[:, :COPIES].tolist()
    plain, old = placed(made, monkeypatch, settings())
    assert (plain.sides[:, :COPIES] != old[:, :COPIES]).any()


def test_further_rows_follow_their_times(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = placed(made, monkeypatch, settings(method="time"))
    for sides in found.sides:
        assert sides.tolist() == sorted(sides.tolist())
        assert np.bincount(sides, minlength=3)[:3].tolist() == [26, 13, 13]
