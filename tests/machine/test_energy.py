"""Joules, with counters of our own in place of the machine's."""

from pathlib import Path

import pytest

from trivium.machine import energy


def test_energy_is_the_change_of_the_counters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "POWERCAP", tmp_path)
    monkeypatch.setattr(energy, "_nvml", lambda: None)
    for name, microjoules in (("intel-rapl:0", 5_000_000), ("intel-rapl:1", 1_000_000), ("intel-rapl:0:0", 9)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(f"{microjoules}\n")
    with energy.energy() as joules:
        (tmp_path / "intel-rapl:0/energy_uj").write_text("7500000\n")
        (tmp_path / "intel-rapl:0:0/energy_uj").write_text("9999999\n")  # a part of package 0: counted there
    assert joules() == pytest.approx(2.5)


def test_without_counters_energy_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "POWERCAP", tmp_path)
    monkeypatch.setattr(energy, "_nvml", lambda: None)
    with energy.energy() as joules:
        pass
    assert joules() is None
