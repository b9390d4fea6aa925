"""The worlds on one clock: what is known of them, what is cut out of them, and what a wrong clock leaves."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.data.clocks import taken
from tests.helpers import command, digests, tiny_project
from trivium.data import tables
from trivium.data.alignment import align
from trivium.data.settings import OFFERED, Align, Events
from trivium.data.sources import events, worlds
from trivium.modalities import audio, recordings, series, video


def made(folder: Path, **settings) -> dict:
    """Rows of the tables of 200 events."""
    folder.mkdir(exist_ok=True)
    events.write(folder, Events(samples=200, **settings), 0)
    return {name: tables.read(folder / f"{name}.parquet").to_pylist() for name in ("labels", *events.STREAMS)}


def frames(file: Path) -> np.ndarray:
    """float64 [T, H, W]"""
    import av

    with av.open(str(file)) as container:
        return np.stack([one.to_ndarray(format="gray") for one in container.decode(video=0)]).astype(float)


def test_recordings_are_of_ten_events_that_lie_apart(tmp_path):
    rows = made(tmp_path)
    assert [len(rows[name]) for name in ("labels", "series", "video", "sound")] == [200, 20, 20, 20]
    of = {row["key"]: [] for row in rows["series"]}
    for row in rows["labels"]:
        of[row["key"]].append(row["clock"])
    assert min(np.diff(each).min() for each in of.values()) >= 1.4 - 1e-9  # no window reaches what is of another event
    one = recordings.read("media/series/r0003.arrow", tmp_path)
    assert one.channels == ("left", "right") and one.values.shape == (2, 1100)
    assert video.probe("media/video/r0003.mp4", tmp_path) == {"width": 16, "height": 16, "seconds": 22.0}
    assert audio.probe("media/sound/r0003.wav", tmp_path) == {"seconds": 22.0, "sample_rate": 2000}


@pytest.mark.parametrize("stream", events.STREAMS)
def test_nothing_tells_of_an_event_before_or_after_its_window(tmp_path, stream):
    draw, ending = events.DRAWN[stream]
    for name, second in (("a", 1), ("b", 2)):
        (tmp_path / f"{name}.{ending}").write_bytes(
            draw(np.random.default_rng(5), np.array([0, second]), np.array([4.0, 9.03])))
    rate = events.RATE[stream]
    if stream == "video":
        a, b = (frames(tmp_path / f"{name}.mp4") for name in "ab")
    elif stream == "sound":
        a, b = (audio.read(f"{name}.wav", tmp_path, None, None, rate, 99)[:, None] for name in "ab")
    else:
        a, b = (recordings.read(f"{name}.arrow", tmp_path).values.T for name in "ab")
    other = np.flatnonzero((a != b).reshape(len(a), -1).any(1)) / rate
    assert 8.6 <= other.min() < 8.8 and 9.25 < other.max() < 9.45  # within 0.5 s of 9.03


def test_the_signals_tell_the_symbols(tmp_path):
    """Decoded by what each is known to be. The label of `mixed` is 2b + (u xor v), of b, 2b + u and v."""
    rows = made(tmp_path, world="mixed")
    y = np.array([int(row["label"]) for row in rows["labels"]])
    found = {s: [] for s in events.STREAMS}
    templates = np.random.default_rng(16).normal(size=(4, 16, 16))
    for row in rows["labels"]:
        span = (str(tmp_path), row["clock"] - 0.5, row["clock"] + 0.5)
        values, _ = series.read(f"media/series/{row['key']}.arrow", *span, series.Settings(
            channels=("left", "right"), rate=20, seconds=1))
        turning = np.fft.rfft(values)[:, [4, 8]]  # Hz
        fast = np.abs(turning).sum(0).argmax()
        found["series"].append(2 * fast + int(np.angle(turning[1] / turning[0])[fast] < 0))
        pictures, _ = video.read(f"media/video/{row['key']}.mp4", *span, video.Settings(
            size=16, channels=1, frames=4, frames_per_second=4))
        found["video"].append(int(((pictures[0].mean(0) - 128.0) * templates).sum((1, 2)).argmax()))
        wave = audio.read(f"media/sound/{row['key']}.wav", *span, 2000, 1.0)
        found["sound"].append(int(np.argmax(np.abs(np.fft.rfft(wave, 2000))[[150, 280]])))
    b, image, v = (np.array(found[s]) for s in ("series", "video", "sound"))
    assert (b == y // 2).mean() == 1.0
    assert (image // 2 == b).mean() > 0.99
    assert (2 * b + (image % 2 ^ v) == y).mean() > 0.99


def test_the_same_bytes_again_whichever_streams_are_made(tmp_path):
    made(tmp_path / "all")
    (tmp_path / "one").mkdir()
    events.write(tmp_path / "one", Events(samples=200), 0, ("video",))
    one, whole = digests(tmp_path / "one", "."), digests(tmp_path / "all", ".")
    assert len(one) == 23 and {name for name in one if one[name] != whole[name]} == {"meta.json"}


@pytest.mark.parametrize("world", worlds.NAMES)
def test_a_clock_that_is_wrong_by_more_than_the_window_takes_all_that_a_stream_says(world):
    of = replace(worlds.world(world, 4), streams=events.STREAMS)
    whole, wrong = of.meta(), of.meta(events.lost(Events(shift={"sound": 0.9})))
    assert wrong.bits["sound"] == 0.0 and wrong.bits["series"] == whole.bits["series"]
    left = {"redundant": (1.81, 0.925), "dominant": (1.198, 0.812), "unique": (2.0, 0.5), "synergy": (1.0, 1.0),
            "mixed": (1.0, 0.5)}[world]
    assert (round(wrong.bits["all"], 3), round(wrong.bayes["all"], 3)) == left
    assert events.lost(Events(shift={"sound": 0.89, "series": -0.9})) == ("series",)


def test_an_offset_that_is_asked_for_mends_the_clock(tmp_path):
    made(tmp_path, shift={"sound": 1.0})
    assert tables.read_json(tmp_path / "meta.json")["world"]["bits"]["sound"] == 0.0
    taken(tmp_path, tmp_path / "valid", OFFERED["events"])
    met = {"series": "series", "sound": "audio"}
    starts = []
    for settings in ({}, {"offset": {"sound": -1.0}}):
        align(tmp_path / "valid", tmp_path / "aligned", met,
              Align.model_validate({"tolerance": 0.1, "window": [-0.5, 0.5]} | settings))
        rows = tables.read(tmp_path / "aligned/samples.parquet").to_pylist()
        starts.append([round(row["sound_start"] - row["series_start"], 6) for row in rows if row["has_sound"]])
    assert set(starts[0]) == {-1.0} and set(starts[1]) == {0.0}


@pytest.mark.slow
def test_a_stream_whose_clock_is_wrong_contributes_nothing(tmp_path):
    heard, clip = {"sample_rate": 2000, "seconds": 1.0}, {"size": 16, "frames": 4, "frames_per_second": 4}
    moved = {"channels": ["left", "right"], "rate": 50, "seconds": 1.0}
    encoders = {"waves": moved, "traits": moved, "frames": clip, "motion": clip, "bands": heard, "cepstra": heard}
    project = tiny_project(
        tmp_path, data__source="events", align__window=[-0.5, 0.5],
        data__streams={s: {"modality": modality} for s, modality in OFFERED["events"].items()},
        data__events={"world": "redundant", "samples": 600, "shift": {"sound": 1.0}},
        **{f"encoder__{name}__processor": processor for name, processor in encoders.items()},
        **{f"encoder__{name}__{key}": value for name in ("waves", "frames")
           for key, value in (("width", 16), ("depth", 1))},
        train={"end_to_end": {"start": "scratch", "strategy": "joint", "fusion": "concat"},
               "reference": {"start": "simple", "strategy": "linear"}})
    command(project, "dvc", "repro", "evaluate@reference")
    for seed in json.loads((project / "reports/evaluate/reference/metrics.json").read_text(encoding="utf-8"))["seeds"]:
        alone = {stream: seed["subsets"][stream]["score"] for stream in events.STREAMS}
        assert abs(seed["contribution"]["score"]["sound"]) < 0.02 < seed["contribution"]["score"]["video"]
        assert abs(alone["sound"] - 0.25) < 0.1  # chance; the others come near the best possible, 0.925
        assert 0.85 < alone["series"] < 0.98 and 0.85 < alone["video"] < 0.98
