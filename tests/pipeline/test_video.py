"""Clips with their sound, through the whole pipeline."""

import json
from pathlib import Path

import pytest

from tests import clips
from tests.helpers import command, set_params, tiny_project
from trivium.data import tables

pytestmark = pytest.mark.slow

ROWS = 160
SMALL = {"width": 16, "depth": 1}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tiny_project(tmp_path_factory.mktemp("video") / "project")
    clips.world(project / "mine", ROWS, sound=True)
    command(project, "trivium", "use", "mine/clips.csv")
    params = tables.read_yaml(project / "params.yaml")
    assert params["data"]["streams"] == {"clip": {"modality": "video"}}
    assert params["encoder"]["frames"]["processor"] == {"size": 32, "channels": 3, "frames": 6, "frames_per_second": 4}
    set_params(project, {
        "data.streams.sound": {"modality": "audio", "column": "clip"},
        "encoder.frames.width": 16, "encoder.frames.depth": 1, "encoder.frames.processor.channels": 1,
        "encoder.frames.processor.frames_per_second": 8, "encoder.motion.processor": {"frames_per_second": 8.0},
        "encoder.bands.processor.seconds": 1.5,
        "pretrain.supervised_half": None, "evaluate.analysis_rows": 32,
        "train": {name: params["train"][name] for name in ("end_to_end", "ensemble", "selfsup_finetune", "reference")}
        | {"attentive": {"start": "supervised", "strategy": "frozen", "fusion": "cross_attention"}}})
    command(project, "dvc", "repro")
    return project


def read(project: Path, path: str) -> dict:
    return json.loads((project / path).read_text())


def test_a_clip_is_a_stream_and_its_sound_another(project: Path) -> None:
    assert read(project, "data/aligned/meta.json")["streams"] == {"clip": "video", "sound": "audio"}
