"""Cost of answers. Seconds differ every time; their kind does not."""

from pathlib import Path

import pytest
import torch

from trivium import models
from trivium.data.store import Batch, Spec
from trivium.evaluation import cost


def test_inference() -> None:
    spec = Spec("image", "image", (1, 8, 8))
    settings = {"width": 16, "depth": 1, "text": "cnn", "image": "cnn", "audio": "cnn"}
    model = models.multimodal(settings, {"image": spec}, 3, "concat", seed=0).eval()
    batch = Batch({"image": torch.randn(5, 1, 8, 8)}, torch.ones(5, 1, dtype=torch.bool), torch.zeros(5).long())
    found = cost.inference(model, batch)
    assert 0 < found["latency_p50_seconds"] <= found["latency_p95_seconds"] < 1
    assert found["samples_per_second"] > 100
    assert found["parameters"] == sum(p.numel() for p in model.parameters())


def test_energy_is_the_change_of_the_counters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "POWERCAP", tmp_path)
    monkeypatch.setattr(cost, "_nvml", lambda: None)
    for name, microjoules in (("intel-rapl:0", 5_000_000), ("intel-rapl:1", 1_000_000), ("intel-rapl:0:0", 9)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(f"{microjoules}\n")
    with cost.energy() as joules:
        (tmp_path / "intel-rapl:0/energy_uj").write_text("7500000\n")
        (tmp_path / "intel-rapl:0:0/energy_uj").write_text("9999999\n")  # a part of package 0: counted there
    assert joules() == pytest.approx(2.5)


def test_without_counters_energy_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "POWERCAP", tmp_path)
    monkeypatch.setattr(cost, "_nvml", lambda: None)
    with cost.energy() as joules:
        pass
    assert joules() is None
