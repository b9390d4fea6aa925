from pathlib import Path

import pytest
import yaml

from tests.fake_outs import fake_data, fake_lock, fake_models, fake_outs, fake_strategy
from trivium.data.tables import read_json, write_json
from trivium.machine.measured import Measured
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
    assert named(outs.read(project), "unimodal").training.best.seed == 1  # 0.4, against 0.5 of seed 0


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
    params["loop"]["batch"], params["train"]["supervised_frozen"]["lr"] = 4096, 9.0  # edited, not run
    params["pretrain"]["supervised"]["share"] = 0.1
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    found = outs.read(project)
    settings = outs.settings(found, named(found, "supervised_frozen"))
    expected = {"train.entry": "supervised_frozen", "train.strategy": "frozen", "train.lr": 0.003,
                "train.fusion": "concat", "train.start": "supervised", "loop.batch": 64, "data.source": "digits",
                "data.world": "dominant", "pretrain.objective": "supervised", "pretrain.share": 0.9, "seeds": 5,
                "encoder.text.name": "words", "encoder.text.architecture": "cnn", "encoder.text.processor.length": 24,
                "encoder.image.name": "patches", "encoder.audio.processor.features": "logmel"}
    assert {key: settings.get(key) for key in expected} == expected
    others = ("data.stamps", "data.manifest", "train.unimodal", "pretrain.scratch", "pretrain.encoders",
              "encoder.words")
    assert not any(key.startswith(others) for key in settings)


def test_settings_of_parts_are_told_by_what_they_are_part_of(project: Path) -> None:
    params = yaml.safe_load((project / "params.yaml").read_text())
    params["train"]["supervised_frozen"]["fusion"] = {"name": "attention", "heads": 4}
    fake_lock(project, params)
    found = outs.read(project)
    settings = outs.settings(found, named(found, "supervised_frozen"))
    assert (settings["train.fusion.name"], settings["train.fusion.heads"]) == ("attention", 4)


def test_inputs_are_the_data_and_model_hashes_of_dvc_lock(project: Path) -> None:
    found = outs.read(project)
    assert outs.inputs(found, named(found, "unimodal")) == {
        "data/raw": "a" * 32 + ".dir", "data/reads/supervised.json": "b" * 32, "models/pretrain/supervised": "b" * 32,
        "models/unimodal": "d" * 32 + ".dir"}


def test_a_strategy_that_was_not_begun_has_no_run(project: Path) -> None:
    path = project / "models/unimodal/training.json"
    write_json(read_json(path) | {"seeds": [], "skipped": {
        "budget": 1e9, "needed": 2e9, "setting": "`budget.epochs: 40`", "sentence": "It costs too much."}}, path)
    write_json(read_json(path), project / "reports/evaluate/unimodal/metrics.json")
    assert {each.name for each in outs.read(project).outcomes} == {"supervised_frozen", "end_to_end"}


def test_a_model_can_be_served_where_weights_and_their_features_are_here(tmp_path: Path) -> None:
    root = fake_outs(tmp_path, {"supervised_frozen": 0.9})
    assert not named(outs.read(root), "supervised_frozen").servable
    fake_data(root)
    fake_models(root, "supervised_frozen")
    assert named(outs.read(root), "supervised_frozen").servable
    reads = root / "data/reads/supervised.json"
    about = read_json(reads)
    write_json(about | {"samples": "0" * 32}, reads, sort=False)
    assert not named(outs.read(root), "supervised_frozen").servable
    reads.unlink()
    assert not named(outs.read(root), "supervised_frozen").servable


def test_a_broken_measurement_is_none(project: Path) -> None:
    found = outs.read(project)
    for name in ("train@unimodal.json", "train@unimodal.system.json", "evaluate@unimodal.json"):
        (project / "reports/measured" / name).write_text('{"sec')
    assert outs.measured(project, named(found, "unimodal")) == outs.Took(Measured(), None, None)
    assert outs.measured(project, named(found, "end_to_end")).training.seconds == 12.5


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
