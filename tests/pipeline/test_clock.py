"""A sound, words and a series on one clock, through the whole pipeline; and new rows that are joined as these were."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.helpers import command, set_params, tiny_project
from trivium.data import tables

pytestmark = pytest.mark.slow

RECORDINGS, EVENTS = 24, 6
STREAMS = {
    "mic": {"modality": "audio", "column": "file", "table": {"path": "mine/mics.csv", "time": "at"}},
    "words": {"modality": "text", "column": "text", "table": {"path": "mine/words.csv", "start": "from", "end": "to"}},
    "worn": {"modality": "series", "column": "file", "table": {"path": "mine/worn.csv"}}}


def write(folder: Path) -> None:
    """Events of two kinds: a low or a high tone, a word, and a wave in a file whose times are on the clock."""
    folder.mkdir()
    files = {name: [] for name in ("events", "mics", "words", "worn")}
    for k in range(RECORDINGS):
        rng, begin = np.random.default_rng(k), 1000 * (k + 1)
        wave, worn = rng.normal(0, 0.1, 14_000), rng.normal(0, 1.5, 14 * 20)
        for e in range(EVENTS):
            y, at = (k + e) % 2, 2 * e + 1.5 + rng.uniform(-0.2, 0.2)
            here = slice(round(1000 * (at - 0.4)), round(1000 * (at + 0.4)))
            wave[here] += 0.02 * np.sin(2 * np.pi * (80, 300)[y] * np.arange(here.stop - here.start) / 1000)
            here = slice(round(20 * (at - 0.4)), round(20 * (at + 0.4)))
            worn[here] += np.sin(2 * np.pi * (1, 4)[y] * np.arange(here.stop - here.start) / 20)
            files["events"].append(f"k{k}e{e},{'uv'[y]},r{k},{begin + at:.3f}")
            said = f"{('left', 'right')[y ^ (rng.random() < 0.25)]} w{rng.integers(5)}"
            files["words"].append(f"r{k},{said},{begin + at - 0.2:.3f},{begin + at + 0.2:.3f}")
        soundfile.write(folder / f"{k}.wav", wave, 1000)
        lines = [f"{begin + i / 20:.2f},{value:.4f}" for i, value in enumerate(worn)]
        (folder / f"{k}.csv").write_text("\n".join(["time,v", *lines]) + "\n")
        files["mics"].append(f"r{k},{k}.wav,{begin}")
        files["worn"].append(f"r{k},{k}.csv")
    for name, header in (("events", "id,label,rec,time"), ("mics", "rec,file,at"), ("words", "rec,text,from,to"),
                         ("worn", "rec,file")):
        (folder / f"{name}.csv").write_text("\n".join([header, *files[name]]) + "\n")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tiny_project(tmp_path_factory.mktemp("clock") / "project")
    write(project / "mine")
    params = tables.read_yaml(project / "params.yaml")
    processor = {"channels": ["v"], "rate": 20.0, "seconds": 1.0}
    set_params(project, {
        "data.source": "manifest", "data.watch": "mine", "data.streams": STREAMS,
        "data.manifest.path": "mine/events.csv", "data.manifest.key": "rec", "align.window": [-0.5, 0.5],
        "encoder.waves.processor": processor, "encoder.traits.processor": processor,
        "train": {name: params["train"][name] for name in ("end_to_end", "reference")}})
    command(project, "dvc", "repro", "compare")
    return project


def test_windows_are_cut_from_each_stream_by_its_own_times(project: Path) -> None:
    samples = tables.read(project / "data/aligned/samples.parquet").to_pylist()
    (row,) = (row for row in samples if row["sample"] == "k3e2")
    at = next(float(line.split(",")[3]) for line in (project / "mine/events.csv").read_text().splitlines()
              if line.startswith("k3e2,"))
    assert row["mic_start"] == pytest.approx(at - 4000.5, abs=1e-6)
    assert row["worn_start"] == pytest.approx(at - 0.5, abs=1e-6)
    found = json.loads((project / "reports/comparison.json").read_text())["strategies"]
    assert found["reference"]["metrics"]["accuracy"]["mean"] > 0.6


@pytest.mark.parametrize("strategy", ["reference", "end_to_end"])
def test_joined_by_predict_rows_have_the_answers_of_the_pipeline(project: Path, strategy: str) -> None:
    """Of the same events, in another folder and without labels."""
    new = project / f"new-{strategy}"
    (project / "mine").rename(new)
    lines = [line.split(",") for line in (new / "events.csv").read_text().splitlines()]
    (new / "later.csv").write_text("".join(f"{one[0]},{one[2]},{one[3]}\n" for one in lines))
    command(project, "trivium", "predict", strategy, str(new / "later.csv"), "--out", "out.csv", "--strict")
    new.rename(project / "mine")
    with (project / "out.csv").open(newline="") as file:
        answers = {row["id"]: row for row in csv.DictReader(file)}
    assert list(answers) == [one[0] for one in lines[1:]]
    trained = json.loads((project / f"models/{strategy}/training.json").read_text())["seeds"]
    best = min(trained, key=lambda one: one["validation"]["nll"])["seed"]
    told = [row for row in tables.read(project / f"reports/evaluate/{strategy}/predictions.parquet").to_pylist()
            if row["seed"] == best]
    theirs = np.array([row["answer"] for row in told])
    assert len(told) > 20 and ((theirs > 0.1) & (theirs < 0.9)).any()
    mine = [[float(answers[row["sample"]][f"probability_{name}"]) for name in "uv"] for row in told]
    assert np.allclose(mine, theirs, atol=1e-4)
