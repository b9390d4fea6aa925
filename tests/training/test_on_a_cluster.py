"""Recipes, strategies, tuning and evaluation on nodes that see nothing of this disk: the bytes of one machine."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scale.nodes import nodes
from tests.helpers import digests
from tests.training import tiny
from trivium.machine.engines import cluster
from trivium.strategies import entry
from trivium.training import strategy
from trivium.training.settings import Tune

pytest.importorskip("ray")
pytestmark = pytest.mark.slow

STRATEGIES: dict[str, dict[str, Any]] = {
    "joint": {"start": "supervised", "strategy": "joint", "fusion": "concat"},
    "ensemble": {"start": "supervised", "strategy": "ensemble"},
    "linear": {"start": "supervised", "strategy": "linear"},
    "boosting": {"start": "supervised", "strategy": "boosting"},
}
LOOP = tiny.LOOP.model_copy(update={"workers": "auto", "augment": True})


def everything(folder: Path) -> dict[str, str]:
    """Digests of what two seeds of all that leave, from nothing."""
    from trivium.evaluation.evaluate import evaluate
    from trivium.evaluation.settings import Settings
    from trivium.stage import fresh

    for name in ("models", "reports", ".cache/units"):
        shutil.rmtree(folder / name, ignore_errors=True)
    tiny.pretrained(tiny.recipe("supervised"), LOOP, 2)
    tiny.pretrained(tiny.recipe("selfsup"), LOOP, 2)
    for name, about in STRATEGIES.items():
        with fresh(folder / "models" / name) as out:
            strategy.train(entry(name, about), LOOP, [tiny.BUDGET] * 2, out, Tune(trials=2 if name == "joint" else 0))
    with fresh(folder / "reports/evaluate/joint") as out:
        evaluate("joint", Settings(batch=8, calibration_bins=5, analysis_rows=32, analysis_flops=1e9), "cpu", 2, out)
    return digests(folder, "models", "reports")


def test_all_that_is_trained_and_evaluated_is_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                             tmp_path_factory: pytest.TempPathFactory) -> None:
    tiny.project(tmp_path, monkeypatch)
    here = everything(tmp_path)
    assert len(here) > 40
    monkeypatch.setattr(cluster, "_marked", lambda orders: nullcontext())
    with nodes(tmp_path_factory.mktemp("nodes"), 2):
        there = everything(tmp_path)
    assert there == here
