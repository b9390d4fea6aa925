"""Units on a cluster end with the stage that they belong to, whatever ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.scale.nodes import Nodes, nodes
from tests.helpers import ROOT
from tests.training.test_jobs import gone

pytest.importorskip("ray")
pytestmark = pytest.mark.slow

STAGE = """
import sys
from tests.ray_works import sleep
from trivium import stage
from trivium.params import load
from trivium.training import jobs

def main(params):
    loop = params.loop.model_copy(update={"device": "cpu"})
    jobs.run("sleeping", sleep, [(name, name, f"key-{name}") for name in "ab"], loop)

stage.load = lambda: load(sys.argv[1])
stage.run("sleeping", main)
"""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with nodes(tmp_path_factory.mktemp("nodes"), 2) as made:
        yield made


def begun(folder: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """A stage of two units that sleep; pids of who works on them, which they print."""
    (folder / "stage.py").write_text(STAGE)
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen([sys.executable, "stage.py", str(ROOT / "params.yaml")], cwd=folder, text=True,
                               env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    return process, [int(process.stdout.readline().removeprefix("pid ")) for _ in range(2)]


@pytest.mark.parametrize(("kind", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_units_end_with_their_stage(two: Nodes, tmp_path: Path, kind: signal.Signals, code: int) -> None:
    process, pids = begun(tmp_path)
    process.send_signal(kind)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    deadline = time.monotonic() + 60
    while not gone(pids) and time.monotonic() < deadline:
        pass
    assert gone(pids)
    assert not list((tmp_path / ".cache").glob("ray-*")) or kind == signal.SIGKILL
