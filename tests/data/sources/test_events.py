"""The worlds on one clock: what is known of them, what is cut out of them, and what a wrong clock leaves."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.helpers import command, tiny_project
from trivium.data import tables
from trivium.data.settings import Events
from trivium.data.sources import events
from trivium.data.sources.worlds import NAMES


def made(folder: Path, **settings) -> dict:
    """Rows of the tables of 200 events."""
    folder.mkdir(exist_ok=True)
    events.write(folder, Events(samples=200, **settings), 0)
    return {name: tables.read(folder / f"{name}.parquet").to_pylist() for name in ("labels", *events.STREAMS)}


def test_everything_of_an_event_lies_in_its_window(tmp_path):
    rows = made(tmp_path)
    assert len(rows["low"]) == len(rows["high"]) == 20 and len(rows["words"]) == 1600
    moments = {(one["key"], one["clock"]) for one in rows["labels"]}
    assert len(moments) == 200
    of = {key: np.array([at for name, at in moments if name == key]) for key, _ in moments}
    assert min(np.diff(np.sort(of["r0000"]))) >= 1.4 - 1e-9  # no window touches what is said of another event
    for one in rows["words"]:
        assert np.abs(of[one["key"]] - one["clock"] - 0.05).min() <= 0.4 + 1e-6
    wave, rate = soundfile.read(tmp_path / rows["low"][0]["value"])
    assert rate == 2000 and len(wave) == 22 * 2000


@pytest.mark.parametrize("world", NAMES)
def test_a_clock_that_is_wrong_by_more_than_the_window_takes_all_that_a_stream_says(tmp_path, world):
    whole = made(tmp_path / "right", world=world) and tables.read_json(tmp_path / "right/meta.json")["world"]
    wrong = made(tmp_path / "wrong", world=world, shift={"high": 0.9}) and (
        tables.read_json(tmp_path / "wrong/meta.json")["world"])
    assert wrong["bits"]["high"] == 0.0 and wrong["bits"]["low"] == whole["bits"]["low"]
    left = {"redundant": (1.81, 0.925), "dominant": (1.198, 0.812), "unique": (2.0, 0.5), "synergy": (1.0, 1.0),
            "mixed": (1.0, 0.5)}[world]
    assert (round(wrong["bits"]["all"], 3), round(wrong["bayes"]["all"], 3)) == left
    assert events.lost(Events(shift={"high": 0.89, "low": -0.9})) == ("low",)


@pytest.mark.slow
def test_a_stream_whose_clock_is_wrong_contributes_nothing(tmp_path):
    streams = {name: {"modality": modality} for name, modality in events.OFFERED["events"].items()}
    simple = {"encoders": {"words": "ngrams", "low": "cepstra", "high": "cepstra"}}
    project = tiny_project(
        tmp_path, data__source="events", data__streams=streams, align__window=[-0.5, 0.5],
        data__events={"world": "redundant", "samples": 600, "shift": {"low": 1.0}}, pretrain={"simple": simple},
        train={"reference": {"start": "simple", "strategy": "linear"}}, budget__of="reference",
        encoder__cepstra__processor={"sample_rate": 2000, "seconds": 1.0})
    command(project, "dvc", "repro", "evaluate@reference")
    found = json.loads((project / "reports/evaluate/reference/analyses.json").read_text(encoding="utf-8"))
    print(json.dumps(found)[:3000])
    assert found
