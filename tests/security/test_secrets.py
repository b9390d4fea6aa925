"""Passwords and keys of the environment, and those in addresses, stand in nothing that is written or said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers import command, tiny_project
from tests.importing.servers import manners, serving
from trivium import importing
from trivium.settings.errors import UserError

SECRETS = {name: f"planted-{k}-5ecret" for k, name in enumerate((
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HF_TOKEN", "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN", "TRIVIUM_TOKEN", "RAY_AUTH_TOKEN", "GITHUB_TOKEN", "DATABASE_URL"))}
REST = dict.fromkeys(("train.unimodal", "train.ensemble", "train.selfsup_finetune", "train.supervised_lpft",
                      "pretrain.selfsup", "pretrain.supervised_half"))


def found(folder: Path, words: str = "5ecret") -> list[str]:
    """Files that hold it: all below `folder`, but for what git and DVC keep of their own settings."""
    own = {folder / ".git", folder / ".dvc/config.local", folder / "tests"}
    return [str(file.relative_to(folder)) for file in folder.rglob("*")
            if file.is_file() and not own & {file, *file.parents} and words.encode() in file.read_bytes()]


@pytest.mark.slow
def test_no_secret_of_the_environment_is_written_or_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HF_ENDPOINT", "https://anna:5ecret@hub.invalid")
    project = tiny_project(tmp_path / "p", **{key.replace(".", "__"): value for key, value in REST.items()})
    command(project, "git", "remote", "add", "origin", "https://anna:5ecret@git.invalid/p.git")
    command(project, "dvc", "remote", "add", "--local", "--default", "far", "s3://bucket/store")
    command(project, "dvc", "remote", "modify", "--local", "far", "secret_access_key", "planted-5ecret")
    said = [command(project, "dvc", "repro"), command(project, "trivium", "sync"),
            command(project, "trivium", "export", "supervised_frozen", "--docker"), command(project, "trivium", "show"),
            command(project, "trivium", "doctor")]
    assert (project / "mlruns/mlflow.db").exists() and (project / "exports/supervised_frozen/Dockerfile").exists()
    assert found(project) == [] and "5ecret" not in "".join(said)
    (project / "planted").write_text("a 5ecret")
    assert found(project) == ["planted"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_password_in_the_address_of_a_table_is_kept_nowhere(here: Path) -> None:
    body = b'[{"id": "1", "label": "u", "text": "a", "more": {"x": 1}}, {"id": "2", "label": "v", "text": "b"}]'
    with serving(manners(body)[0]) as address:
        secret = address.replace("://", "://anna:5ecret@")
        for _ in range(2):  # the second one finds what the first has kept
            made = importing.table(f"{secret}/t.json", private=True)
        assert found(here) == [] and "5ecret" not in " ".join(made.notes)
        assert '"http://***@127.0.0.1' in (made.path.parent / "source.json").read_text()
        with pytest.raises(UserError) as caught:
            importing.table(f"{secret}/404.csv", private=True)
    assert "5ecret" not in str(caught.value) and "http://***@127.0.0.1" in str(caught.value)


def test_a_password_in_a_cell_is_not_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from trivium.modalities import media

    with pytest.raises((UserError, ValueError)) as caught:
        media.read("ftp://anna:5ecret@127.0.0.1:1/a.png", here)
    assert "5ecret" not in str(caught.value)


def test_a_password_reaches_no_parameter_of_mlflow_and_no_page() -> None:
    from trivium.report import html
    from trivium.tracking import runs

    assert runs._text("s3://anna:5ecret@bucket/a.csv") == "s3://***@bucket/a.csv"
    assert runs._text(["http://anna:5ecret@host/a"]) == '["http://***@host/a"]'
    piece = html.Piece("a", "A", "look_part.html", {"lead": ["See https://anna:5ecret@host/a."], "figures": [],
                                                    "cards": [], "notes": []})
    page = html.page("t", "", "look.html", {"title": "t", "lead": "x", "points": []}, [piece])
    assert "5ecret" not in page and "https://***@host/a" in page


def test_a_token_of_the_server_is_on_no_command_line() -> None:
    """It is read from the environment or a file; there is no option that holds it."""
    from trivium.runtime.server.__main__ import parser

    options = {word for action in parser()._actions for word in action.option_strings}
    assert "--token-file" in options and "--token" not in options
