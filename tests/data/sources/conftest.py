from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine/img").mkdir(parents=True)
    (tmp_path / "mine/img/a.png").write_bytes(b"picture")
    (tmp_path / "mine/b.wav").write_bytes(b"sound")
    return tmp_path / "mine"
