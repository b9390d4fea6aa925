"""What the stage `budget` says before anything is trained."""

from pathlib import Path

import pytest
from pytest import MonkeyPatch
from ruamel.yaml import YAML

from pipeline import budget
from tests.helpers import ROOT
from tests.training import tiny
from trivium.params import Params, parse


def params(**changes: float | None) -> Params:
    raw = YAML(typ="safe").load((ROOT / "params.yaml").read_text())
    raw["seeds"], raw["train"], raw["compare"]["reference"] = 2, {"end_to_end": raw["train"]["end_to_end"]}, ""
    raw["pretrain"] = {"scratch": raw["pretrain"]["scratch"]}
    raw["budget"] |= changes
    return parse(raw)


@pytest.fixture(autouse=True)
def features(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)


@pytest.mark.parametrize(("changes", "setting"), [
    ({"flops": 1_000_000}, "`budget.flops: 4.3e+06`"), ({"epochs": 0.5}, "`budget.epochs: 1`")])
def test_a_budget_below_an_epoch_is_said_at_once(changes: dict[str, float], setting: str,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    budget.main(params(**changes))
    said = capsys.readouterr().out
    assert "note: one epoch of End to end costs more than that (4.27e+06 FLOPs). " in said
    assert f"set {setting} in params.yaml to begin this one." in said


def test_a_budget_of_an_epoch_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    budget.main(params(epochs=1))
    assert "note" not in capsys.readouterr().out
