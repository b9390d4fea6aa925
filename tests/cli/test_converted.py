"""`trivium encrypt` once more, after it was interrupted: DVC finds nothing changed, and nothing else is accepted."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers import ROOT, command, environment
from tests.machine.test_signals import hearing
from tests.machine.vault.made import KEY
from trivium.cli.encryption import encrypt
from trivium.cli.verify import verify
from trivium.machine.vault import convert, keys, sealed
from trivium.settings.errors import UserError

pytestmark = pytest.mark.slow

STAGES = """stages:
  ingest:
    cmd: mkdir -p data/raw/a data/raw/a-b && cp given data/raw/a/one && echo 2 > data/raw/a-b/two
    deps: [given]
    outs: [data/raw]
  validate:
    cmd: mkdir -p data/valid && cp data/raw/a/one data/valid/three && cp given reports/validation.json
    deps: [data/raw]
    outs: [data/valid, reports/validation.json]
  train:
    cmd: mkdir -p models/deep && cp data/valid/three models/deep/four
    deps: [data/valid/three]
    outs: [models/deep]
  compare:
    cmd: cp models/deep/four reports/report.html
    deps: [models, reports/validation.json]
    outs: [reports/report.html]
"""
WELL = ("All 9 files of the outs are as dvc.lock has them, here and in DVC's cache.", True)
OTHER = keys.Key(b"k" * 32)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read only."""
    folder = tmp_path_factory.mktemp("reference")
    (folder / "reports").mkdir()
    (folder / "dvc.yaml").write_text(STAGES)
    (folder / "params.yaml").write_text("encryption:\n  key_id: ''\n")
    (folder / "given").write_text("something to learn from\n")
    (folder / ".gitignore").write_text("/data\n/models\n/reports\n/mlruns\n/.cache\n")  # as here
    for words in (["git", "init"], ["dvc", "init"], ["dvc", "repro"]):
        command(folder, *words, "--quiet")
    return folder


@pytest.fixture
def project(reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With two keys beside it, the first of which is given."""
    made = Path(shutil.copytree(reference, tmp_path / "project", symlinks=True))
    for name, value in environment(made).items():
        monkeypatch.setenv(name, value)
    keys.write(tmp_path / "key", KEY)
    keys.write(tmp_path / "other", OTHER)
    monkeypatch.setenv(keys.FILE, str(tmp_path / "key"))
    (tmp_path / "private").mkdir()
    return made


def half(project: Path, *names: str) -> None:
    """As a kill leaves it after these files."""
    for name in names:
        content = project.parent / "content"
        shutil.copy(project / name, content)
        (project / name).unlink()  # a link to DVC's cache
        sealed.seal(content, project / name, KEY, name)


def test_files_of_an_interrupted_run_are_taken_note_of(project: Path) -> None:
    half(project, "data/raw/a/one", "data/raw/a-b/two", "data/valid/three")
    said = encrypt(project, None)
    assert said.startswith(f"3 files are encrypted with the key {KEY.id}, ")
    assert "Older versions of these files are still in the clear in .dvc/cache" in said
    assert verify(project) == WELL
    assert "up to date" in command(project, "dvc", "status")


def test_all_files_and_a_lock_that_was_written_in_part(project: Path) -> None:
    (project / ".cache").mkdir(exist_ok=True)
    shutil.copy(project / "dvc.lock", project / ".cache/encrypt.lock")
    convert.encrypt(project, KEY, project.parent / "private")
    command(project, "dvc", "commit", "--force", "--quiet", "ingest", "train")
    (project / "mlruns").mkdir()
    (project / "mlruns/mlflow.db").touch()
    said = encrypt(project, None)
    assert said.startswith(f"0 files are encrypted with the key {KEY.id}, ") and "mlruns/ held models" in said
    assert verify(project) == WELL and "up to date" in command(project, "dvc", "status")
    assert not (project / ".cache/encrypt.lock").exists() and not (project / "mlruns/mlflow.db").exists()
    assert encrypt(project, None) == (f"0 files are encrypted with the key {KEY.id}, which params.yaml asks for from "
                                      "now on.")


def test_a_change_of_the_key(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encrypt(project, None)
    half_done = "data/raw/a/one"
    sealed.unseal(project / half_done, project.parent / "clear", KEY)
    (project / half_done).unlink()
    sealed.seal(project.parent / "clear", project / half_done, OTHER, half_done)
    monkeypatch.setenv(keys.FILE, str(project.parent / "other"))
    for count in (5, 0):  # once more does no harm
        said = encrypt(project, project.parent / "key")
        told = f"The key {KEY.id} still opens older versions of these files in .dvc/cache, and at the remote"
        assert (told in said) == bool(count) and "are still in the clear" not in said
        assert said.startswith(f"{count} files are encrypted with the key {OTHER.id}, ")
        assert verify(project) == WELL and "up to date" in command(project, "dvc", "status")


def test_what_is_damaged_or_another_file_is_not_accepted(project: Path) -> None:
    half(project, "data/raw/a/one", "data/raw/a-b/two", "models/deep/four")
    content = (project / "data/raw/a/one").read_bytes()
    (project / "data/raw/a/one").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    (project.parent / "content").write_text("another model")
    sealed.seal(project.parent / "content", project / "models/deep/four", KEY, "models/deep/four")
    said = encrypt(project, None)
    assert "More than the key has changed of compare, ingest, train, validate: `dvc repro` runs these stages." in said
    assert not verify(project)[1]


def test_a_stage_whose_code_has_changed_still_runs(project: Path) -> None:
    half(project, "data/raw/a/one")
    (project / "given").write_text("something else\n")
    assert "has changed of ingest: `dvc repro` runs" in encrypt(project, None)
    assert sorted(json.loads(command(project, "dvc", "status", "--json"))) == ["ingest"]


def test_files_with_another_key_are_not_passed_over(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    half(project, "data/raw/a/one")
    monkeypatch.setenv(keys.FILE, str(project.parent / "other"))
    with pytest.raises(UserError, match=f"data/raw/a/one is encrypted with the key {KEY.id}, and the key that is given "
                                        f"is {OTHER.id}. `--from FILE` names"):
        encrypt(project, None)


def test_ctrl_c_and_the_same_command(project: Path) -> None:
    many = "cmd: mkdir -p data/raw/z && for i in `seq 500`; do echo $i > data/raw/z/$i; done; mkdir -p data/raw/a data"
    (project / "dvc.yaml").write_text(STAGES.replace("cmd: mkdir -p data/raw/a data", many))
    command(project, "dvc", "repro", "--quiet")
    words = [sys.executable, "-m", "trivium.cli.main", "encrypt"]
    process = subprocess.Popen(words, cwd=project, env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
                               stdout=subprocess.DEVNULL, start_new_session=True, preexec_fn=hearing)
    while not sealed.is_sealed(project / "data/raw/z/1"):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait() == 130
    assert any(not sealed.is_sealed(path) for path in convert.secrets(project))
    assert " files are encrypted with the key " in encrypt(project, None)
    assert verify(project)[1] and "up to date" in command(project, "dvc", "status")
