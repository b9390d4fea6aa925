"""A disk that is full while MLflow writes: one sentence, and none of the stacks that MLflow and SQLAlchemy print."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fake_outs import fake_outs
from tests.helpers import ROOT, environment

FULL = """
from sqlalchemy import event
from sqlalchemy.engine import Engine
from trivium.settings.failures import of_machine
from trivium.tracking import sync

@event.listens_for(Engine, "connect")  # the database may not grow: as SQLite finds a disk without room
def small(connection, _):
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")

try:
    sync.attempt(report=False)
except Exception as error:
    print(of_machine(error))
"""


@pytest.mark.slow
def test_it_is_told_in_one_sentence(tmp_path: Path) -> None:
    fake_outs(tmp_path)
    done = subprocess.run([sys.executable, "-c", FULL], cwd=tmp_path, capture_output=True, text=True,
                          env=environment(tmp_path) | {"PYTHONPATH": str(ROOT / "src")})
    assert done.stdout.startswith("No space is left on the disk. Free some: ") and done.stdout.count("\n") == 1
    assert done.stderr == ""
