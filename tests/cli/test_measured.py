"""Measurements that are really broken, in a project that DVC really runs."""

import shutil
from pathlib import Path

import pytest

from tests.helpers import ROOT, command
from trivium.cli.measured import again, broken

MEASURE = "echo {name} >> ran && mkdir -p reports/measured && echo '{{\"seconds\":2}}' > reports/measured/{name}.json"
STAGES = f"""stages:
  split:
    cmd: {MEASURE.format(name="split")} && cp given parts
    deps: [given]
    outs: [parts]
  train:
    foreach: ["a", "b"]
    do:
      cmd: {MEASURE.format(name="train@${item}")} && cp parts model_${{item}}
      deps: [parts]
      outs: ["model_${{item}}"]
"""
REPAIR = ("env", f"PYTHONPATH={ROOT / 'src'}", "python", "-m", "trivium.cli", "repair")


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose three stages ran and measured. Read only."""
    folder = tmp_path_factory.mktemp("reference")
    (folder / "dvc.yaml").write_text(STAGES)
    shutil.copy(ROOT / "params.yaml", folder)
    command(folder, "git", "init", "--quiet")
    command(folder, "dvc", "init", "--quiet")
    (folder / "given").write_text("one\n")
    command(folder, "dvc", "repro", "--quiet")
    (folder / "ran").unlink()
    return folder


@pytest.fixture
def project(reference: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(reference, tmp_path / "project", symlinks=True))


@pytest.mark.slow
def test_an_unchanged_stage_measures_again_and_nothing_else_changes(project: Path) -> None:
    lock, place = (project / "dvc.lock").read_text(), project / "reports/measured"
    assert command(project, *REPAIR) == "" and not (project / "ran").exists()
    (place / "train@a.json").write_text("")
    (place / "split.json").write_text('{"sec')
    (place / "train@b.system.json").write_text("")  # which this stage does not write
    said = command(project, *REPAIR)
    assert ("note: reports/measured/split.json, reports/measured/train@a.json, reports/measured/train@b.system.json: "
            "empty or broken. To measure again, DVC runs split, train@a, train@b once more.\n") in said
    assert sorted((project / "ran").read_text().split()) == ["split", "train@a", "train@b"]
    assert {path.name: path.read_text() for path in place.iterdir()} == dict.fromkeys(
        ("split.json", "train@a.json", "train@b.json"), '{"seconds":2}\n')
    assert (project / "dvc.lock").read_text() == lock
    assert "Data and pipelines are up to date." in command(project, "dvc", "repro")


@pytest.mark.slow
def test_a_stage_that_has_changed_is_left_to_dvc(project: Path) -> None:
    (project / "given").write_text("two\n")
    for name in ("split", "gone@a"):
        (project / f"reports/measured/{name}.json").write_text("")
    said: list[str] = []
    again(project, said.append)
    assert said == [f"reports/measured/{name}.json was empty or broken, and is removed. The report does without its "
                    f"figures until {name} runs again." for name in ("gone@a", "split")]
    assert not (project / "ran").exists() and broken(project) == []
    command(project, "dvc", "repro")
    assert (project / "reports/measured/split.json").read_text() == '{"seconds":2}\n'
