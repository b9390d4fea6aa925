"""The stage `latency`, on a small project: the same out twice, times beside it, and nothing where it is off."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT, environment, set_params
from tests.serving.export.exported import NAME, project

pytest.importorskip("onnxscript")
pytestmark = pytest.mark.slow


def stage(root: Path) -> str:
    path = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    done = subprocess.run([sys.executable, "-m", "pipeline.latency"], cwd=root, env=environment(root) | path,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_same_out_twice_and_times_beside_it(tmp_path: Path) -> None:
    root = project(tmp_path, samples=48)
    set_params(root, {"train": {NAME: {"start": "scratch", "strategy": "joint"}}, "compare.reference": "",
                      "compare.latency": True})
    out, times = root / "reports/latency.json", root / "reports/measured/latency.json"
    said = stage(root)
    assert said.startswith(f"{NAME}: ") and said.endswith(" ms for one row (median, one thread)\n")
    first = out.read_bytes()
    assert json.loads(first)["strategies"][NAME]["difference"] < 1e-5
    assert json.loads(times.read_text())["latency"][NAME]["times"][0]["rows"] == 1
    stage(root)
    assert out.read_bytes() == first and str(root) not in first.decode()
    set_params(root, {"compare.latency": False})
    assert stage(root) == "`compare.latency` is off: nothing is exported, and no answer is timed\n"
    assert NAME not in out.read_text() and NAME not in times.read_text()
