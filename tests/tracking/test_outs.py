from pathlib import Path

import pytest
import yaml

from tests.fake_outs import fake_lock, fake_outs, fake_strategy
from trivium.settings.errors import UserError
from trivium.tracking import outs


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return fake_outs(tmp_path)


def named(found: outs.Outs, name: str) -> outs.Outcome:
    return next(each for each in found.outcomes if each.name == name)


def test_best_first_by_the_rank_of_the_comparison(project: Path) -> None:
    assert [each.name for each in outs.read(project).ranked] == ["supervised_frozen", "unimodal", "end_to_end"]


def test_the_best_seed_has_the_lowest_validation_nll(project: Path) -> None:
    assert named(outs.read(project), "unimodal").best["seed"] == 1  # 0.4, against 0.5 of seed 0


def test_the_fingerprint_follows_the_content(project: Path) -> None:
    before = outs.read(project)
    assert outs.read(project).state == before.state
    fake_strategy(project, "unimodal", 0.81)
    after = outs.read(project)
    assert after.state != before.state
    assert named(after, "unimodal").fingerprint != named(before, "unimodal").fingerprint
    assert named(after, "end_to_end").fingerprint == named(before, "end_to_end").fingerprint


def test_what_was_not_evaluated_is_left_out(project: Path) -> None:
    (project / "reports/evaluate/unimodal/metrics.json").unlink()
    assert {each.name for each in outs.read(project).outcomes} == {"supervised_frozen", "end_to_end"}


def test_settings_are_those_that_the_stages_ran_with(project: Path) -> None:
    params = yaml.safe_load((project / "params.yaml").read_text())
    fake_lock(project, params)
    path = project / "dvc.lock"
    lock = yaml.safe_load(path.read_text())
    lock["stages"]["compare"] = {"params": {"params.yaml": {"seeds": 7}}}  # of the run before
    path.write_text(yaml.safe_dump(lock))
    params["train"]["batch"], params["strategy"]["supervised_frozen"]["lr"] = 4096, 9.0  # edited, not run
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    found = outs.read(project)
    settings = outs.settings(found, named(found, "supervised_frozen"))
    expected = {"strategy.kind": "supervised_frozen", "strategy.lr": 0.003, "strategy.fusion": "concat",
                "strategy.start": "supervised", "train.batch": 64, "data.source": "digits", "data.world": "dominant",
                "pretrain.objective": "supervised", "seeds": 5}
    assert {key: settings.get(key) for key in expected} == expected
    assert not any(key.startswith(("data.stamps", "data.manifest", "strategy.unimodal")) for key in settings)


def test_inputs_are_the_data_and_model_hashes_of_dvc_lock(project: Path) -> None:
    found = outs.read(project)
    assert outs.inputs(found, named(found, "unimodal")) == {
        "data/raw": "a" * 32 + ".dir", "data/features": "b" * 32 + ".dir", "models/unimodal": "d" * 32 + ".dir"}


def test_a_broken_measurement_is_none(project: Path) -> None:
    found = outs.read(project)
    for name in ("fuse@unimodal.json", "fuse@unimodal.system.json", "evaluate@unimodal.json"):
        (project / "reports/measured" / name).write_text('{"sec')
    assert outs.measured(project, named(found, "unimodal")) == {}
    assert outs.measured(project, named(found, "end_to_end"))["seconds"] == 12.5


@pytest.mark.parametrize(("file", "words"), [
    ("reports/comparison.json", "reports/comparison.json is empty.*Remove it and run `dvc repro`"),
    ("models/unimodal/training.json", "models/unimodal/training.json is empty"),
])
def test_a_broken_out_is_named_with_what_to_do(project: Path, file: str, words: str) -> None:
    (project / file).write_text("")
    with pytest.raises(UserError, match=words):
        outs.read(project)


def test_a_torn_lock_is_named_with_what_to_do(project: Path) -> None:
    (project / "dvc.lock").write_text("schema: '2.0'\nstages:\n  ingest:\n    cmd: a\n    de")
    with pytest.raises(UserError, match="dvc.lock is not valid YAML .*`trivium repair` mends it"):
        outs.read(project)


def test_outside_of_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert outs.commit(tmp_path) == {}
