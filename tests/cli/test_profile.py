"""Profiles: more recipes and strategies, put beside those of params.yaml."""

from pathlib import Path

import pytest

from trivium.cli import profile
from trivium.params import check, load
from trivium.settings.errors import UserError

pytestmark = pytest.mark.usefixtures("project")


def test_the_full_profile_makes_twenty_two_strategies_that_can_be_run(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("params.yaml").read_text()
    profile.add("full")
    params = load()
    assert len(params.train) == 22
    assert {"aligned", "crossmasked", "supervised"} <= set(params.pretrain)
    check(params)
    kept = [line for line in Path("params.yaml").read_text().splitlines() if line in before.splitlines()]
    assert kept == before.splitlines()  # with their comments
    assert "  train.mmpareto" in capsys.readouterr().out


def test_what_is_there_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace(
        "train:  ", "train:\n  dgl: {start: scratch, strategy: dgl, lr: 0.01}\n  #", 1))
    profile.add("full")
    assert load().train["dgl"] == {"start": "scratch", "strategy": "dgl", "lr": 0.01}
    once = Path("params.yaml").read_bytes()
    profile.add("full")
    assert Path("params.yaml").read_bytes() == once and "had all of `full`" in capsys.readouterr().out


def test_a_profile_that_there_is_not() -> None:
    with pytest.raises(UserError, match="There is no profile `ful`; did you mean `full`"):
        profile.add("ful")
