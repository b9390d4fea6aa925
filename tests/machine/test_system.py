import json
import time
from pathlib import Path

import pytest

from trivium.machine import system


def test_samples_while_the_block_runs(tmp_path: Path) -> None:
    path = tmp_path / "measured/work.system.json"
    with system.Sampler(path, interval=0.02):
        time.sleep(0.3)
    found = json.loads(path.read_text())
    assert set(found["series"]) >= {
        "cpu_utilization_percentage", "system_memory_usage_megabytes", "system_memory_usage_percentage"}
    assert len(found["seconds"]) >= 3
    assert {len(values) for values in found["series"].values()} == {len(found["seconds"])}
    assert all(0 <= value <= 100 for value in found["series"]["cpu_utilization_percentage"])
    assert abs(found["started"] - time.time()) < 60


def test_a_long_series_is_thinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "KEEP", 6)
    path = tmp_path / "long.json"
    with system.Sampler(path, interval=0.005):
        time.sleep(0.6)
    seconds = json.loads(path.read_text())["seconds"]
    assert 3 <= len(seconds) < 6
    assert seconds[-1] - seconds[-2] > 0.03  # sampled ever less often


def test_a_failed_block_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError), system.Sampler(tmp_path / "failed.json", interval=0.01):
        time.sleep(0.1)
        raise ValueError
    assert list(tmp_path.iterdir()) == []


def test_a_machine_that_cannot_be_read_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("no counters here")

    monkeypatch.setattr(system, "reader", broken)
    with system.Sampler(tmp_path / "none.json", interval=0.01):
        done = True
    assert done and not (tmp_path / "none.json").exists()
