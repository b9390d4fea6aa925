import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fake_outs import fake_data, fake_models, fake_outs
from tests.helpers import ROOT
from trivium.cli.main import main


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = fake_outs(tmp_path_factory.mktemp("cli"), {"supervised_frozen": 0.9, "end_to_end": 0.7})
    fake_data(root)
    fake_models(root, "supervised_frozen")
    return root


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    code = ("import sys; from trivium.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
            "assert not {'torch', 'mlflow', 'pandas', 'numpy', 'dvc'} & set(sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in ("doctor", "use", "status", "show", "curves", "predict", "export", "sync", "ui"):
        assert f"\n    {name} " in done.stdout


def test_a_mistake_is_one_paragraph_and_exit_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(["show"])
    assert stopped.value.code == ("\nThere is no comparison yet (reports/comparison.json): run `make repro`, or "
                                  "`dvc repro`.\n")


def test_a_wrong_command_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["shwo"])
    assert stopped.value.code == 2 and "invalid choice: 'shwo'" in capsys.readouterr().err


def test_show(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(project)
    main(["show"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "Which way to train on Digits?"
    table = [re.split(r"  +", line.strip()) for line in lines]
    assert ["rank", "strategy", "accuracy", "95 % interval", "macro F1", "NLL", "FLOPs", "failed"] in table
    assert ["1", "Frozen supervised components", "90.0 %", "88.0 to 92.0", "90.0 %", "0.100 nats", "1.00e+09",
            "0 %"] in table
    assert ["always “anna”", "35.0 %", "17.0 %", "1.100 nats"] in table
    assert "Take “Frozen supervised components”: it beats “End to end” by 20.0 points" in " ".join(lines)
    assert any("reports/report.html" in line for line in lines)
    assert "  trivium predict supervised_frozen new-rows.csv      answers to new data" in lines


def test_predict_one_sample(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(project)
    main(["predict", "supervised_frozen", "--text", "alpha one", "--image", "data/raw/media/0.png"])
    assert sorted(line.split()[0] for line in capsys.readouterr().out.splitlines()) == ["anna", "ben", "carla"]


def test_predict_a_table_to_the_terminal(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    (project / "table.csv").write_text("text\nalpha one\nbeta two\n")
    main(["predict", "supervised_frozen", "table.csv"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "id,label,probability_anna,probability_ben,probability_carla,warning,error"
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2"]


def test_predict_names_the_streams_that_a_sample_may_be_given_by(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    with pytest.raises(SystemExit) as stopped:
        main(["predict", "supervised_frozen", "--title", "alpha one"])
    assert "`--title` is not known here: a stream of the sample is given by --text or --image" in str(
        stopped.value.code)


@pytest.mark.parametrize("words", [[], ["table.csv", "--text", "both"]])
def test_predict_wants_a_table_or_a_sample(words: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["predict", "supervised_frozen", *words])
    assert "either a table" in str(stopped.value.code)
