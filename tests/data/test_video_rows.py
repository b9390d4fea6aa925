"""Clips and their sound, from a table to the tensors that models see."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests import clips
from tests.data.through import VALIDATE, digests, through
from trivium.data import readings
from trivium.data.expectations import stream_rules
from trivium.data.settings import Stream
from trivium.data.store import Store
from trivium.data.streams import same_column
from trivium.evaluation import panels
from trivium.modalities import video

pytestmark = pytest.mark.slow

ROWS = 24
STREAMS = {"clip": Stream(modality="video"), "sound": Stream(modality="audio", column="clip")}
SIZES = {"frames": 6, "size": 16, "channels": 1, "frames_per_second": 4.0}
ENTRIES = {
    "frames": {"modality": "video", "architecture": "cnn", "processor": SIZES},
    "motion": {"modality": "video", "architecture": "hog", "processor": {"size": 16, "frames": 6}},
    "bands": {"modality": "audio", "architecture": "cnn", "processor": {"sample_rate": 8000, "seconds": 1.0}}}
RECIPES = {"scratch": {"clip": "frames", "sound": "bands"}, "simple": {"clip": "motion"}}


def test_a_clip_that_is_too_long_is_told_where_that_is_set() -> None:
    rules = stream_rules("clip", ["width", "height", "seconds"], False, VALIDATE)
    (reason,) = [rule.reason for rule in rules if "seconds" in rule.says]
    assert reason.format(seconds=12.0) == (
        "12 seconds long; validate.audio_seconds in params.yaml, which is for sounds and clips, allows 0.001 to 10")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("clips")
    clips.world(home / "mine", ROWS, sound=True)
    (home / "mine/c3.mp4").write_bytes(b"not a video")
    lines = (home / "mine/clips.csv").read_text().splitlines()
    spans = [f"{line},{0.5 if k == 1 else ''},{1.0 if k == 1 else ''}" for k, line in enumerate(lines)]
    (home / "mine/clips.csv").write_text("\n".join(["id,label,clip,start,end", *spans[1:]]) + "\n")
    through(home / "mine/clips.csv", home, STREAMS, RECIPES, ENTRIES)
    return home


def test_a_clip_is_a_stream_and_its_sound_another(home: Path) -> None:
    rows = pq.read_table(home / "data/features/samples.parquet").to_pylist()
    assert len(rows) == ROWS - 1 and all(row["has_clip"] and row["has_sound"] for row in rows)
    bad = pq.read_table(home / "data/valid/quarantine.parquet").to_pylist()
    assert {row["sample"] for row in bad} == {"c3"}
    assert any("not a video" in str(row) for row in bad)


def test_tensors_are_frames_and_statistics_are_of_them(home: Path) -> None:
    reading = next(one for path in (home / "data/features/clip").glob("*/reading.json")
                   if (one := json.loads(path.read_text()))["spec"]["kind"] == "frames")
    assert reading["spec"]["shape"] == [1, 6, 16, 16] and reading["spec"]["modality"] == "video"
    whole = [video.decode(f"c{k}.mp4", home / "mine", None, None, video.Settings(**SIZES)) for k in range(4, ROWS)]
    assert reading["statistics"][0]["mean"] == pytest.approx([np.mean(whole)], rel=0.1)
    assert reading["cut"] is None or reading["cut"]["lost"] == 0
    store = Store("scratch", home)
    assert (panels.step(store, "clip"), panels.step(store, "sound")) == (0.25, 0.0125)  # seconds between two frames
    assert panels.channels(store, "clip", 0) == ()


def test_the_same_bytes_with_two_workers(home: Path, tmp_path: Path) -> None:
    through(home / "mine/clips.csv", tmp_path, STREAMS, RECIPES, ENTRIES, workers=2)
    assert digests(home / "data", "features", "reads") == digests(tmp_path / "data", "features", "reads")


def test_one_column_is_a_video_and_its_sound_and_nothing_else() -> None:
    said = same_column({"a": ["clip"], "b": ["clip"]}, {"a": Stream(modality="video"), "b": Stream(modality="video")})
    assert len(said) == 1 and "both read from the column `clip`" in said[0]
    assert same_column({s: ["clip"] for s in STREAMS}, STREAMS) == []


def test_how_much_of_a_clip_is_not_seen_names_a_setting_that_there_is(home: Path, tmp_path: Path) -> None:
    """22 clips last 1.5 s, one 0.5 s; the first second is seen."""
    few = {"modality": "video", "architecture": "cnn", "processor": SIZES | {"frames": 2, "frames_per_second": 2.0}}
    through(home / "mine/clips.csv", tmp_path, STREAMS, {"scratch": {"clip": "few"}}, {"few": few})
    assert readings.warnings(tmp_path) == [
        "clip: the encoder `few` does not see 33% of all seconds: 96% of the rows are longer than it reads. "
        "`encoder.few.processor.frames` in params.yaml sets how much that is."]
