"""The section on what single answers rest on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.report.analyses import explain
from tests.report.project import build
from trivium.report import html
from trivium.report.inputs import Inputs

STRATEGIES = {"end_to_end": 2.2, "ensemble": 3.5}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return build(tmp_path, samples=60, seeds=2, strategies=STRATEGIES, extras=True)


def section(root: Path) -> str:
    return " ".join(html.content("attributions", Inputs(root, 1_000_000)).split())


def test_samples_that_changed_between_strategies(project: Path) -> None:
    before = section(project)
    explain(project)
    found = section(project)
    assert "Most changed" not in before and "Most changed between strategies" in found
    assert found.count("<img") == before.count("<img") + 2
    assert "True label <b>7</b>: the strategies give it 4 % to 88 %" in found
    assert ('alt="What each strategy&#39;s answer to sample d00000 rests on (Ensemble of single streams: 7, '
            'End to end: 1)"') in found  # fmt: skip
    assert "More samples that changed (1)" in found
    assert "<b>&lt;b&gt;</b>" in found


def test_what_the_fusion_attends_to(project: Path) -> None:
    assert "The fusion attends" not in section(project)
    path = project / "reports/evaluate/ensemble/metrics.json"
    metrics = json.loads(path.read_text())
    metrics["seeds"][0]["attribution"]["samples"][0]["attention"] = {"text": 0.2, "image": 0.05, "audio": 0.5}
    path.write_text(json.dumps(metrics))
    assert "right answer. The fusion attends to audio 50 %, text 20 %, image 5 %." in section(project)


def test_deletion_says_attention_where_encoders_attend(project: Path) -> None:
    assert "0.40 / 0.60" in section(project) and "attention" not in section(project)
    path = project / "reports/evaluate/ensemble/metrics.json"
    metrics = json.loads(path.read_text())
    for seed in metrics["seeds"]:
        seed["attribution"]["deletion"]["text"]["rollout"] = 0.5
    path.write_text(json.dumps(metrics))
    found = section(project)
    assert "0.40 / 0.50 / 0.60" in found and "0.40 / 0.60" in found  # the other strategy's do not
    assert "Green: where the encoder looks (attention rollout)" in found
    assert "what the encoder looks at most first, where it attends / in random order" in found
