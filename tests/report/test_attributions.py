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


def test_the_sample_of_all_others_is_one_that_all_of_them_explain(tmp_path: Path) -> None:
    """Of two that stand for all, the second is one of `unimodal`'s surest answers: there, the first has that reason."""
    root = build(tmp_path, samples=60, seeds=2, strategies=STRATEGIES | {"unimodal": 1.0}, extras=True)
    for name in STRATEGIES | {"unimodal": 1.0}:
        path = root / f"reports/evaluate/{name}/metrics.json"
        metrics = json.loads(path.read_text())
        one, _, last = metrics["seeds"][0]["attribution"]["samples"]
        one |= {"sample": "second", "why": "confident"} if name == "unimodal" else {"sample": "first", "why": "same"}
        last |= {"sample": "first" if name == "unimodal" else "second"}
        path.write_text(json.dumps(metrics))
    _, others = section(root).split("What the others make of one sample (2)")
    assert others.count("Sample second: the same sample for all") == 2 and "Sample first" not in others


def test_what_the_fusion_attends_to(project: Path) -> None:
    assert "The fusion’s shares" not in section(project)
    path = project / "reports/evaluate/ensemble/metrics.json"
    metrics = json.loads(path.read_text())
    metrics["seeds"][0]["attribution"]["samples"][0]["attention"] = {"text": 0.2, "image": 0.05, "audio": 0.5}
    path.write_text(json.dumps(metrics))
    assert "right answers. The fusion’s shares: audio 50 %, text 20 %, image 5 %." in section(project)


def test_how_much_better_than_a_random_order(project: Path) -> None:
    found = section(project)
    assert "To take away what spoke most first costs the answer more." in found
    assert '>+0.20 ✓ <span class="span">(+0.18 to +0.22)</span>' in found
    assert ">+0.20 <span" in found  # of text, which is not sure
    assert 'title="area 0.40, in random order 0.60"' in found
    assert "they miss 2 % (text) and 11 % (image) of it." in found.replace("\u00a0", " ").replace("\u202f", " ")
    assert "None of the encoders shows where it looks" in found and "No encoder shows where it looks: –" in found


def test_attention_has_a_table_of_its_own_with_dashes_where_encoders_do_not_attend(project: Path) -> None:
    path = project / "reports/comparison.json"
    compared = json.loads(path.read_text())
    gain = {"by": -0.05, "area": 0.65, "random": 0.6, "better": False}
    compared["attribution"]["gains"]["rollout"] = {"ensemble": {"text": gain}}
    path.write_text(json.dumps(compared))
    path = project / "reports/evaluate/ensemble/metrics.json"
    metrics = json.loads(path.read_text())
    for seed in metrics["seeds"]:
        seed["attribution"]["deletion"]["text"]["rollout"] = 0.65
    path.write_text(json.dumps(metrics))
    found = section(project)
    assert "Green: where the encoder looks (attention rollout)" in found
    assert "What is looked at most, taken away first" in found
    assert "the encoder of the stream does not show where it looks" in found
    assert found.count("<td>–</td>") == 5 and "−0.05" in found
