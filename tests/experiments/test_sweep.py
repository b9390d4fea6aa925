"""`trivium sweep`: which combinations there are, as which entries, and a real one on tiny data."""

from pathlib import Path
from typing import Any

import pytest

from tests.helpers import ROOT, committed, digests, set_params, tiny_project
from trivium.cli.main import main
from trivium.comparison.effects import Sweep
from trivium.data.tables import read_yaml
from trivium.experiments.design import grid
from trivium.experiments.dvc import overrides
from trivium.experiments.sweep import entries, levels, sort
from trivium.settings.errors import UserError
from trivium.training.records import Trained

FIRST = {"text": "words", "image": "patches"}


@pytest.fixture
def raw() -> dict[str, Any]:
    """Two recipes, one with random weights and one that trains; two strategies with a fusion, and one without."""
    found = read_yaml(ROOT / "params.yaml")
    found["data"]["streams"] = {s: {"modality": s} for s in FIRST}
    found["pretrain"] = {"scratch": {"encoders": FIRST},
                         "supervised": {"encoders": FIRST, "objective": "supervised"},
                         "simple": {"encoders": {"text": "ngrams", "image": "pixels"}}}
    found["train"] = {
        "end_to_end": {"start": "scratch", "strategy": "joint", "lr": 0.002},
        "slow": {"start": "scratch", "strategy": "joint", "lr": 0.0001},
        "frozen": {"start": "supervised", "strategy": "frozen", "fusion": {"name": "attention", "heads": 2}},
        "probe": {"start": "simple", "strategy": "linear"}}
    found["compare"] = found["compare"] | {"reference": "probe"}
    return found


def test_levels_are_those_of_params_where_none_are_named(raw: dict[str, Any]) -> None:
    assert levels(raw, {}) == {"fusion": ["concat", "attention"], "recipe": ["scratch", "supervised"],
                               "strategy": ["joint", "frozen"]}
    assert levels(raw, {"fusion": ["sum", "gated", "sum"], "strategy": []})["fusion"] == ["sum", "gated"]


@pytest.mark.parametrize(("given", "words"), [
    ({"fusion": ["gatde"]}, "There is no fusion `gatde`; did you mean `gated`?"),
    ({"recipe": ["scrach"]}, "There is no recipe `scrach`; did you mean `scratch`?"),
    ({"strategy": ["jiont"]}, "There is no strategy `jiont`; did you mean `joint`?"),
])
def test_a_level_that_there_is_not_is_an_error(raw: dict[str, Any], given: dict[str, list[str]], words: str) -> None:
    with pytest.raises(UserError) as error:
        levels(raw, given)
    assert str(error.value) == words


def test_what_cannot_be_run_is_left_out_with_the_reason(raw: dict[str, Any]) -> None:
    factors = {"fusion": ["concat"], "recipe": ["scratch", "supervised", "simple"],
               "strategy": ["joint", "frozen", "linear"]}
    possible, left = sort(raw, grid(factors))
    assert [(one["recipe"], one["strategy"]) for one in possible] == [
        ("scratch", "joint"), ("supervised", "joint"), ("supervised", "frozen")]
    reasons = {(one.levels["recipe"], one.levels["strategy"]): one.reason for one in left}
    assert len(reasons) == 6 and reasons["scratch", "linear"] == "`linear` has no fusion."
    assert reasons["scratch", "frozen"].startswith("`frozen` builds on the encoders of `scratch`, and nobody has ")
    assert "`joint` needs dense vectors" in reasons["simple", "joint"]


def test_an_entry_has_the_settings_that_params_has_for_its_parts(raw: dict[str, Any]) -> None:
    made = entries(raw, grid({"fusion": ["attention"], "recipe": ["supervised"],
                              "strategy": ["joint", "slow", "lpft"]}))
    attention = {"name": "attention", "heads": 2}
    assert made == {
        "joint__supervised__attention": {"start": "supervised", "strategy": "joint", "lr": 0.002, "fusion": attention,
                                         "title": "attention, supervised, joint"},
        "slow__supervised__attention": {"start": "supervised", "strategy": "joint", "lr": 0.0001, "fusion": attention,
                                        "title": "attention, supervised, slow"},
        "lpft__supervised__attention": {"start": "supervised", "strategy": "lpft", "fusion": attention,
                                        "title": "attention, supervised, lpft"}}


def test_an_entry_as_dvc_takes_it() -> None:
    assert overrides({"+train.a": {"strategy": "joint", "lr": 0.003, "fusion": {"name": "gated", "width": None},
                                   "on": True, "list": [1, "it's"]}}) == [
        r"+train.a={strategy:'joint',lr:0.003,fusion:{name:'gated',width:null},on:true,list:[1,'it\'s']}"]


@pytest.mark.slow
def test_a_sweep_on_tiny_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
                              ) -> None:
    project = tiny_project(tmp_path, data__streams={s: {"modality": s} for s in FIRST})
    set_params(project, {"compare.reference": "", "evaluate.analysis_rows": 32,
                         "pretrain": {"scratch": {"encoders": FIRST}},
                         "train": {"end_to_end": {"start": "scratch", "strategy": "joint"}}})
    committed(project, monkeypatch)
    before, params = digests(project, "data", "models", "reports"), (project / "params.yaml").read_bytes()
    main(["sweep", "--fusions", "concat,sum", "--strategies", "joint,linear", "--fraction", "1"])
    said = capfd.readouterr().out
    assert "4 combinations, 2 of which can be run: 2 are" in said
    assert "joint__scratch__concat: 2 of 2 were finished before" in said  # the units of end_to_end
    after = digests(project, "data", "models", "reports")
    assert {path for path in after if after[path] != before.get(path)} == {"reports/sweep.json", "reports/sweep.html"}
    assert (project / "params.yaml").read_bytes() == params
    found = Sweep.read(project / "reports/sweep.json")
    assert (found.grid, found.possible, found.seeds, len(found.left)) == (4, 2, 2, 2)
    assert {factor.name: len(factor.levels) for factor in found.factors} == {"fusion": 2, "recipe": 1, "strategy": 1}
    trained = Trained.of("end_to_end", project)
    concat = next(one for one in found.combinations if one.levels["fusion"] == "concat")
    assert trained and concat.flops == pytest.approx(sum(seed.flops.total for seed in trained.seeds) / 2, rel=1e-5)
    main(["sweep", "--fusions", "concat,sum", "--fraction", "1"])
    said = capfd.readouterr().out
    assert "is there already" in said and "Running stage" not in said
