"""`trivium use` where streams have tables of their own: what its author wrote stays, and what does not fit is told."""

from pathlib import Path

import numpy as np
import pytest

from tests.cli.own import data
from tests.data.clocks import csv
from tests.helpers import set_params
from trivium.cli import doctor
from trivium.cli.use import use
from trivium.params import load


@pytest.fixture
def clocked(project: Path) -> Path:
    """Values of a sensor, 20 a second, for samples of one second."""
    own = project / "own"
    own.mkdir()
    csv(own / "run.csv", "time,ax", *(f"{k / 20},{np.sin(k):.3f}" for k in range(200)))
    csv(own / "events.csv", "id,label,rec,time", "e1,3.5,r,1", "e2,7.25,r,2.5")
    csv(own / "sensor.csv", "rec,file", "r,run.csv")
    set_params(project, {
        "task": "regression", "data.source": "manifest", "data.watch": "own", "data.manifest.path": "own/events.csv",
        "data.manifest.key": "rec", "align.window": [-0.5, 0.5], "data.streams": {
            "acc": {"modality": "series", "column": "file", "table": {"path": "own/sensor.csv"}}}})
    return project


def test_what_is_watched_and_predicted_stays(clocked: Path) -> None:
    use("own/events.csv")
    assert (data()["watch"], data()["manifest"]["path"], load().task) == ("own", "own/events.csv", "regression")


def test_what_was_never_chosen_is_watched_from_now_on(clocked: Path) -> None:
    set_params(clocked, {"data.watch": "data/README.md"})
    use("own/events.csv")
    assert data()["watch"] == "own"


def test_processors_that_do_not_fit_are_told(clocked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    use("own/events.csv")
    told = [line for line in capsys.readouterr().out.splitlines() if "encoder.waves" in line]
    assert told == [
        "note: a look at own/sensor.csv suggests `encoder.waves.processor.channels: ['ax']` for acc; it is not set.",
        "note: a look at own/sensor.csv suggests `encoder.waves.processor.rate: 20.0` for acc; it is 1.0.",
        "note: a look at own/sensor.csv suggests `encoder.waves.processor.seconds: 1.0` for acc; it is 256.0."]
    advice = list(doctor.on_clock(Path(".")))  # of who wrote params.yaml by hand, and never typed `trivium use`
    assert [("advice", line.removeprefix("note: ")) for line in told] == [one for one in advice if ".waves." in one[1]]
    set_params(clocked, {"encoder.waves.processor": {"channels": ["ax"], "rate": 25.0, "seconds": 1.0}})
    use("own/events.csv")
    assert "encoder.waves" not in capsys.readouterr().out
