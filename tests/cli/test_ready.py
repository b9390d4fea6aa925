import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT, set_params
from trivium.cli.main import main
from trivium.cli.ready import GOOD, check
from trivium.settings.errors import UserError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("key", "value", "words"), [
    ("trian", {}, "unknown key `trian`; did you mean `train`?"),
    ("train.end_to_end", {"start": "scratch", "strateg": "joint"},
     "unknown key `train.end_to_end.strateg`; did you mean `strategy`?"),
    ("train.end_to_end.strategy", "jiont", "there is no strategy `jiont`; did you mean `joint`?"),
    ("train.end_to_end.start", "scrach", "there is no recipe `scrach` under `pretrain`; did you mean `scratch`?"),
    ("train.end_to_end.fusion", "concatt", "there is no fusion `concatt`; did you mean `concat`?"),
    ("pretrain.scratch", {"encoder": {"text": "words"}},
     "unknown key `pretrain.scratch.encoder`; did you mean `encoders`?"),
    ("train.ensemble.start", "selfsup", "`ensemble` needs classifiers"),
    ("task", "regresion", "`task`: there is no task `regresion`; did you mean `regression`?"),
    ("task", {"name": "regression", "los": "huber"}, "unknown key `task.los`; did you mean `loss`?"),
    ("encoder.words.architecture", "cnnn", "there is no architecture `cnnn`; did you mean `cnn`?"),
    ("encoder.words", {"modality": "text", "weights": "./nowhere"}, "there is no folder ./nowhere"),
])
def test_wrong_settings_stop_the_first_command_of_make_repro(
    root: Path, key: str, value: object, words: str, monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "\n\t@$(BIN)/trivium repair\n\t@$(BIN)/dvc repro\n" in (ROOT / "Makefile").read_text()
    monkeypatch.chdir(root)
    main(["repair"])
    set_params(root, {key: value})
    with pytest.raises(SystemExit) as stopped:
        main(["repair"])
    assert str(stopped.value.code).startswith("\nparams.yaml: ") and words in str(stopped.value.code)


def test_a_file_from_before_there_were_tasks_is_completed(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    """DVC would stop `validate` with "Parameters 'task' are missing"."""
    monkeypatch.chdir(root)
    with_task = Path("params.yaml").read_text().splitlines(keepends=True)
    without = [line for line in with_task if not line.startswith(("task:", "                            # its own"))]
    assert len(with_task) - len(without) == 2
    Path("params.yaml").write_text("".join(without))
    main(["repair"])
    assert Path("params.yaml").read_text() == "".join([*without[:3], "task: classification\n", *without[3:]])
    assert "the line `task: classification`" in capsys.readouterr().err
    main(["repair"])
    assert capsys.readouterr().err == ""


def test_a_file_from_before_there_was_tuning_is_completed(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(root)
    text = Path("params.yaml").read_text()
    start, end = text.index("tune:"), text.index("\ntrain:") + 1
    Path("params.yaml").write_text(text[:start] + text[end:])
    main(["repair"])
    assert Path("params.yaml").read_text() == text[:start - 1] + "tune: {trials: 0}\n\n" + text[end:]
    assert "did not say how much is tuned: now it has the line `tune: {trials: 0}`" in capsys.readouterr().err


def test_the_old_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("seeds: 5\nfuse: {ensemble: {}}\n")
    with pytest.raises(UserError, match="params.yaml is in a form that Trivium no longer reads"):
        check(tmp_path)


def test_what_was_found_right_is_not_looked_at_again(root: Path) -> None:
    check(root)
    code = ("import sys; from pathlib import Path; from trivium.cli.ready import check\ncheck(Path('.'))\n"
            "assert not {'torch', 'mlflow', 'pandas', 'dvc'} & set(sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True,
                          env={"PYTHONPATH": str(ROOT / "src")})
    assert done.returncode == 0, done.stderr


def test_a_published_folder_that_has_changed_is_looked_at_again(root: Path) -> None:
    check(root)
    first = (root / GOOD).read_text()
    folder = root / "mine"
    folder.mkdir()
    set_params(root, {"encoder.spare": {"modality": "text", "weights": str(folder)}})  # which no recipe uses
    check(root)
    second = (root / GOOD).read_text()
    (folder / "config.json").touch()
    check(root)
    assert len({first, second, (root / GOOD).read_text()}) == 3
