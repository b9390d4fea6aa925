"""The comparison beside that of another commit, as a pull request shows it."""

import subprocess
from pathlib import Path

import pytest

from tests.fake_outs import STRATEGIES, fake_comparison, fake_outs, fake_strategy
from trivium.cli.against import against
from trivium.settings.errors import UserError


def git(root: Path, *words: str) -> None:
    command = ["git", "-c", "user.name=a", "-c", "user.email=b", *words]
    subprocess.run(command, cwd=root, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Outs whose comparison is committed."""
    root = fake_outs(tmp_path / "project")
    git(root, "init", "--quiet")
    git(root, "add", "reports/comparison.json")
    git(root, "commit", "--quiet", "--message", "a comparison")
    return root


def test_what_has_changed_stands_beside_what_was(project: Path) -> None:
    now = {"end_to_end": 0.75, "supervised_frozen": 0.90}
    fake_strategy(project, "end_to_end", 0.75)
    fake_comparison(project, now)
    lines = against(project, "HEAD").splitlines()
    assert lines[0] == "### The comparison, against HEAD"
    rows = [line for line in lines if line.startswith("|")]
    assert rows[0] == "| strategy | before: accuracy | now | change |"
    assert rows[2].startswith("| Frozen supervised components | 90.0 % (88.0 to 92.0) | 90.0 %")
    assert rows[3].startswith("| End to end | 70.0 %") and rows[3].endswith("| +5.0 |")
    assert rows[4].startswith("| Best single stream | 80.0 %") and rows[4].endswith("| gone | |")


def test_nothing_has_changed(project: Path) -> None:
    assert against(project, "HEAD").endswith("\n\nNo result has changed.")


def test_there_was_no_comparison_before(project: Path) -> None:
    git(project, "rm", "--quiet", "--cached", "reports/comparison.json")
    git(project, "commit", "--quiet", "--message", "none")
    fake_comparison(project, STRATEGIES)
    said = against(project, "HEAD")
    assert "There was no comparison yet." in said and "| Best single stream | new | 80.0 %" in said


def test_mistakes_are_said(project: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="git knows no commit `nowhere`"):
        against(project, "nowhere")
    with pytest.raises(UserError, match="There is no comparison here yet"):
        against(tmp_path, "HEAD")
