"""docs/looking-at-data.md and the runs that its forecasts were held against."""

import json
import subprocess
import sys
from pathlib import Path

import psutil

from benchmarks.forecast import __main__ as forecast
from benchmarks.forecast.computed import watch
from benchmarks.parts import filled


def test_the_page_holds_what_was_measured() -> None:
    found = json.loads(forecast.OUT.read_text(encoding="utf-8"))
    page = forecast.PAGE.read_text(encoding="utf-8")
    assert len(found["sets"]) >= 3 and forecast.table(found) in page
    assert filled(page, "benchmarks.forecast", {"forecasts": forecast.table(found)}) == page


def test_a_row_of_the_table() -> None:
    stages = {"pretrain@a": {"kind": "recipes", "computing": 9.0, "seconds": 5.0, "bytes": 10**9, "took": 10.0,
                             "took_bytes": 5 * 10**8},
              "evaluate@b": {"kind": "evaluation", "computing": 31.0, "seconds": 20.0, "bytes": 3 * 10**9, "took": 40.0,
                             "took_bytes": 2 * 10**9}}
    found = {"sets": {"one": {"words": "one set", "stages": stages, "dvc": 7.0}}}
    assert forecast.kinds(found["sets"]["one"]) == {"recipes": (9.0, 10.0), "evaluation": (31.0, 40.0)}
    assert forecast.table(found).splitlines()[-1] == (
        "| one set | 9 / 10 | – | 31 / 40 | – | – | – | 40 / 50 | -20 % | 3.0 / 2.0 GB | 7 |")


def test_what_a_stage_computes_is_seen_from_outside(tmp_path: Path) -> None:
    """A second of it, in a process of its own, below one that waits."""
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline/evaluate.py").write_text("import time\nwhile time.process_time() < 1.2:\n    pass\n")
    code = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'pipeline.evaluate', 'one'])"
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path) as process:
        found = watch(psutil.Process(process.pid))
    assert 0.5 < found["evaluate@one"].computing < 1.5 and found["evaluate@one"].bytes > 1_000_000
    assert found["dvc"].computing < 0.5
