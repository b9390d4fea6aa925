"""The section on all strategies together."""

import json
from pathlib import Path

from tests.report.project import build
from trivium.report import html
from trivium.report.inputs import Inputs


def section(root: Path) -> str:
    found = " ".join(html.content("together", Inputs(root, 0)).split())
    return found.replace("\u00a0", " ").replace("\u202f", " ")


def test_who_counts_and_what_it_gives(tmp_path: Path) -> None:
    project = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 2.2, "ensemble": 3.5})
    path = project / "reports/comparison.json"
    compared = json.loads(path.read_text())
    assert section(project) == ""
    compared["together"] = {
        "metrics": {"accuracy": {"mean": 0.912, "low": 0.9, "high": 0.924}},
        "weights": {"end_to_end": 0.2, "ensemble": 0.8},
        "against": "ensemble", "difference": {"mean": 0.01, "low": -0.01, "high": 0.03}, "beats": False, "flops": 2e12,
        "over_budget": 2.0, "seeds": {}, "sentence": "Together, they reach 91.2 % accuracy."}
    path.write_text(json.dumps(compared))
    found = section(project)
    assert "No seed took" not in found
    assert "Together, they reach 91.2 % accuracy." in found
    assert found.index(">80 %") < found.index(">20 %")  # the heaviest first
    assert '>91.2 % <span class="span">(90.0 to 92.4 %)</span>' in found
    assert "<code>trivium predict together</code>" in found
    compared["together"]["weights"] = {"end_to_end": 0.0, "ensemble": 1.0}
    path.write_text(json.dumps(compared))
    found = section(project)
    assert "No seed took “End to end”." in found and ">100 %" in found and ">0 %" not in found
