"""The worlds on one clock: what is known of them, what is cut out of them, and what a wrong clock leaves."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.data.clocks import taken
from tests.helpers import command, tiny_project
from trivium.data import tables
from trivium.data.alignment import align
from trivium.data.settings import Align, Events
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


def test_an_offset_that_is_asked_for_mends_the_clock(tmp_path):
    made(tmp_path, shift={"low": 1.0})
    taken(tmp_path, tmp_path / "valid", {"words": "text", "low": "audio", "high": "audio"})
    starts = []
    for settings in ({}, {"offset": {"low": -1.0}}):
        align(tmp_path / "valid", tmp_path / "aligned", {"low": "audio", "high": "audio"},
              Align.model_validate({"tolerance": 0.1, "window": [-0.5, 0.5]} | settings))
        rows = tables.read(tmp_path / "aligned/samples.parquet").to_pylist()
        starts.append([round(row["low_start"] - row["high_start"], 6) for row in rows if row["low_start"]])
    assert set(starts[0]) == {-1.0} and set(starts[1]) == {0.0}


@pytest.mark.slow
def test_a_stream_whose_clock_is_wrong_contributes_nothing(tmp_path):
    streams = {name: {"modality": modality} for name, modality in events.OFFERED["events"].items()}
    heard = {"sample_rate": 2000, "seconds": 1.0}
    project = tiny_project(
        tmp_path, data__source="events", data__streams=streams, align__window=[-0.5, 0.5],
        data__events={"world": "redundant", "samples": 600, "shift": {"low": 1.0}},
        encoder__cepstra__processor=heard, encoder__bands__processor=heard,
        pretrain={"scratch": {"encoders": {"words": "words", "low": "bands", "high": "bands"}},
                  "simple": {"encoders": {"words": "ngrams", "low": "cepstra", "high": "cepstra"}}},
        train={"end_to_end": {"start": "scratch", "strategy": "joint", "fusion": "concat"},
               "reference": {"start": "simple", "strategy": "linear"}})
    command(project, "dvc", "repro", "evaluate@reference")
    for seed in json.loads((project / "reports/evaluate/reference/metrics.json").read_text(encoding="utf-8"))["seeds"]:
        alone = {stream: seed["subsets"][stream]["score"] for stream in streams}
        assert abs(seed["contribution"]["score"]["low"]) < 0.02 < seed["contribution"]["score"]["words"]
        assert abs(alone["low"] - 0.25) < 0.1  # chance; the others come near the best possible, 0.925
        assert 0.85 < alone["high"] < 0.98 and 0.85 < alone["words"] < 0.98
