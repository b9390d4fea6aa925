import shutil
from pathlib import Path

import pytest

from tests.cli.own import USUAL
from tests.helpers import ROOT, set_params
from trivium.cli.use import use


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a params.yaml of the usual names, which is the current one."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    set_params(tmp_path, USUAL)
    use("digits:dominant")
    return tmp_path
