"""How the result is made again, in the report."""

import subprocess
from pathlib import Path

from tests.report.project import build
from trivium.report import html
from trivium.report.inputs import Inputs


def section(root: Path) -> str:
    return " ".join(html.content("provenance", Inputs(root, 0)).split())


def test_a_commit_is_named_where_nothing_has_changed_since(tmp_path: Path) -> None:
    project = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 2.2, "ensemble": 3.5})
    (project / "code.py").write_text("1\n")
    for words in (["init", "--quiet"], ["add", "code.py"], ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit",
                                                            "--quiet", "-m", "one"]):
        subprocess.run(["git", *words], cwd=project, check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project, check=True, capture_output=True,
                            text=True).stdout.strip()
    assert f"To make it again:</p> <pre><code>git checkout {commit} &amp;&amp; make repro</code>" in section(project)
    (project / "code.py").write_text("2\n")
    assert ("To make it again, with the changes that are not committed yet:</p> <pre><code>make repro</code>"
            in section(project))
