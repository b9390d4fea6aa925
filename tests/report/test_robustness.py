"""Domains in the robustness section: the numbers of the comparison, escaped, and nothing where there are none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.comparisons import full
from trivium.report import html
from trivium.report.inputs import Inputs

SAYS = "Accuracy on the held-out domain <phone> is 3.0 to 10.0 points below that on the test set."


def span(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean - 0.05, "high": mean + 0.05}


HELD_OUT = {
    "name": "<phone>",
    "n": 1600,
    "sentence": SAYS,
    "least": None,
    "strategies": {
        "joint": {"value": span(0.80), "drop": span(0.10), "metrics": {}},
        "late": {"value": span(0.72), "drop": span(0.03), "metrics": {}},
    },
}
BY = {
    "street": {"n": 30.0, "score": {"joint": span(0.95), "late": span(0.70)}},
    "<b>studio": {"n": 70.4, "score": {"joint": span(0.88)}},
}


def rows(root: Path, **found: Any) -> tuple[str, list[list[str]]]:
    """The section's markup, and the text of its table cells."""
    (root / "reports").mkdir()
    strategies = {"late": {"rank": 2}, "joint": {"rank": 1}}
    (root / "reports/comparison.json").write_text(json.dumps(full({"strategies": strategies, **found})))
    made = html.content("robustness", Inputs(root, 0))
    lines = re.findall(r"<tr>(.*?)</tr>", made, re.DOTALL)
    return made, [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line)]
                  for line in lines]  # fmt: skip


def test_the_held_out_domain_and_those_of_the_test_set(tmp_path: Path) -> None:
    made, cells = rows(tmp_path, domains={"held_out": HELD_OUT, "by": BY})
    assert cells == [
        ["strategy", "test set", "&lt;phone&gt;", "lost, points"],
        ["joint", "90.0\u00a0%", "80.0\u00a0% (75.0 to 85.0)", "10.0 (5.0 to 15.0)"],
        ["late", "75.0\u00a0%", "72.0\u00a0% (67.0 to 77.0)", "3.0 (−2.0 to 8.0)"],
        ["strategy", "street", "&lt;b&gt;studio"],
        ["joint", "95.0\u00a0%", "88.0\u00a0%"],
        ["late", "70.0\u00a0%", "–"],
    ]
    assert "(1,600 samples)" in made and "street 30, &lt;b&gt;studio 70." in made
    assert SAYS.replace("<", "&lt;").replace(">", "&gt;") in made
    assert "<phone>" not in made and "<b>studio" not in made
    assert made.count("q10") == 1 and made.count("q0") == 1  # the darkest and the lightest cell


def test_each_alone(tmp_path: Path) -> None:
    for name, domain, count in (("held", {"held_out": HELD_OUT, "by": {}}, 3), ("by", {"by": BY}, 3)):
        (tmp_path / name).mkdir()
        assert len(rows(tmp_path / name, domains=domain)[1]) == count


def test_no_domains_no_word_of_them(tmp_path: Path) -> None:
    curve = [{"level": x, "score": span(0.9 - x)} for x in (0.0, 0.5)]
    made, cells = rows(tmp_path, robustness={
        "corruption": {"text": {"joint": curve, "late": curve}}, "misalignment": {}, "shift": {}, "attacks": {},
        "summary": {}, "sentence": ""})
    assert "Noise on text" in made and "domain" not in made and cells == []
    (tmp_path / "none").mkdir()
    assert rows(tmp_path / "none") == ("", [])


def test_effective_robustness_has_a_unit(tmp_path: Path) -> None:
    curve = [{"level": level, "score": span(0.9 - level / 2)} for level in (0.0, 0.5, 1.0)]
    robust = {name: {"text": {"relative": 0.7, "effective": effective}}
              for name, effective in (("joint", 0.123), ("late", 0.0))}
    (tmp_path / "data/aligned").mkdir(parents=True)
    (tmp_path / "data/aligned/meta.json").write_text(json.dumps({"root": ".", "streams": {"text": "text"}}))
    made, cells = rows(tmp_path, robustness={
        "corruption": {"text": {"joint": curve, "late": curve}}, "misalignment": {}, "shift": {}, "attacks": {},
        "summary": robust, "reference": "late", "sentence": ""})
    assert ("In brackets, effective robustness, in points of accuracy, summed over all strengths of noise: above zero, "
            "accuracy falls less than that of ") in made
    assert [line[1].replace("\N{NO-BREAK SPACE}", " ") for line in cells[1:]] == ["70.0 % (+12.3)", "70.0 % (+0.0)"]
