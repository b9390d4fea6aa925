"""A manifest that names files of series: what is set, from a look at them."""

from pathlib import Path

import numpy as np
import pytest

from trivium.cli.sizes import plain_rate
from trivium.cli.use import use
from trivium.params import load


def made(folder: Path, name: str, count: int = 6, more: str = "") -> str:
    """Files of 300 points at 50 a second; every other one has the channel `y` besides, one of six has `z`."""
    (folder / "rec").mkdir(parents=True)
    for k in range(count):
        channels = {"x": np.arange(300.0)} | ({"y": np.ones(300)} if k % 2 else {}) | ({"z": np.ones(300)} if not k
                                                                                       else {})
        np.savez(folder / f"rec/{k}.npz", rate=50.0, **channels)
    lines = [f"{k},{'ab'[k % 2]},rec/{k}.npz" + (",1.0,2.5" if more else "") for k in range(count)]
    (folder / name).write_text("\n".join([f"id,label,signal{more}", *lines]) + "\n")
    return str(folder / name)


@pytest.mark.parametrize(("more", "seconds"), [("", 6.0), (",start,end", 1.5)])
def test_channels_rate_and_length_are_those_of_the_files(project: Path, more: str, seconds: float) -> None:
    use(made(project / "own", "m.csv", more=more))
    params = load()
    assert {s: stream.modality for s, stream in params.data.streams.items()} == {"signal": "series"}
    for name in ("waves", "traits"):
        assert params.encoder[name]["processor"] == {"channels": ["x", "y"], "rate": 50.0, "seconds": seconds}


def test_a_rate_is_written_as_people_would() -> None:
    assert [plain_rate(one) for one in (49.9999997604, 100.0, 1 / 3)] == [50.0, 100.0, 0.333333333333]


def test_the_world_of_waves(project: Path) -> None:
    use("waves")
    params = load()
    assert params.data.source == "waves" and list(params.data.streams) == ["series", "text"]
    assert params.encoder["waves"]["processor"] == {"channels": ["left", "right"], "rate": 64.0, "seconds": 2.0}


@pytest.mark.parametrize("timed", [False, True])
def test_that_a_point_is_taken_to_last_a_second_is_said_once(project: Path, capsys: pytest.CaptureFixture[str],
                                                             timed: bool) -> None:
    (project / "own/rec").mkdir(parents=True)
    for k in range(6):
        np.save(project / f"own/rec/{k}.npy", np.arange(300.0) + k)
        np.savez(project / f"own/rec/{k}.npz", x=np.arange(300.0) + k, rate=50.0)
    lines = [f"{k},{'ab'[k % 2]},rec/{k}.{'npz' if timed else 'npy'}" for k in range(6)]
    (project / "own/m.csv").write_text("\n".join(["id,label,signal", *lines]) + "\n")
    use(str(project / "own/m.csv"))
    said = [line for line in capsys.readouterr().out.splitlines() if "last a second" in line]
    assert said == ([] if timed else [
        "note: 6 of 6 series that were looked at have neither times nor a rate, such as rec/0.npy: a point is taken to "
        "last a second. If that is wrong, save them as NPZ with `rate`, the points a second, or with a column `time`; "
        "seconds in the settings and the report are wrong until then."])
    assert load().encoder["waves"]["processor"]["rate"] == (50.0 if timed else 1.0)
