"""The section on streams of other samples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.report.project import build
from trivium.report import html
from trivium.report.inputs import Inputs


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 2.2, "ensemble": 3.5}, extras=True)


def section(root: Path) -> str:
    found = " ".join(html.content("counterfactuals", Inputs(root, 1_000_000)).split())
    return found.replace("\u00a0", " ").replace("\u202f", " ")


def test_which_stream_is_followed_and_what_answers_become(project: Path) -> None:
    found = section(project)
    assert "the answers follow audio most." in found
    assert '>90 % <span class="span">(88 % to 92 %)</span>' in found
    assert found.count("<td>–</td>") == 2  # nobody was asked about text
    assert "Another audio: <b>the answer follows</b>" in found and "Another text: <b>the answer stays</b>" in found
    assert "90.0 % changed" in found and "The audio of the other sample" in found
    assert found.count("<audio") == 3 and found.count("<blockquote") == 3  # the swapped stream twice, others once


def test_nothing_was_measured(project: Path) -> None:
    path = project / "reports/comparison.json"
    compared = json.loads(path.read_text())
    del compared["counterfactual"]
    path.write_text(json.dumps(compared))
    assert html.content("counterfactuals", Inputs(project, 1_000_000)) == ""
