"""What training takes of memory, counted on networks whose tensors can be counted by hand."""

from pathlib import Path

import pytest
import torch
from torch import nn

from trivium.machine import memory as machine
from trivium.training import memory
from trivium.training.memory import Need
from trivium.training.settings import Loop

LOOP = Loop(batch=64, weight_decay=0.0, warmup=0.1, clip=1.0, evaluations=1, augment=False, device="cpu", workers=2)


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(100, 200), nn.ReLU(), nn.Linear(200, 10))


def test_weights_gradients_moments_and_what_waits_for_the_backward_pass() -> None:
    model, x = network(), torch.zeros(2, 100)
    found = memory.need(model, lambda: model(x).square().sum(), 2, LOOP, held=7)
    weights = 4 * (100 * 200 + 200 + 200 * 10 + 10)
    saved = 4 * 2 * (100 + 200 + 10)  # the input; behind the ReLU, once for two; the outputs, which are squared
    largest = 4 * 2 * 200
    assert found == Need(weights=5 * weights, batch=(saved + 2 * largest) // 2 * 64, samples=7)


def test_what_is_frozen_has_no_gradient_and_no_moments() -> None:
    model, x = network(), torch.zeros(2, 100)
    model[0].requires_grad_(False)
    found = memory.need(model, lambda: model(x).square().sum(), 2, LOOP, held=0)
    assert found.weights == 2 * 4 * (20_200 + 2_010) + 3 * 4 * 2_010
    assert found.batch == (4 * 2 * (200 + 10) + 2 * 4 * 2 * 200) // 2 * 64


@pytest.mark.parametrize(("free", "begins", "ends"), [
    (4e9, "training takes about 3.5 GB of memory (2 at a time x 1.5 GB: weights 500 MB, a batch of 64 samples 900 MB, "
          "the data 100 MB; and 500 MB for the program)", "4.5 GB are there"),
    (2.9e9, "warning: training takes about 3.5 GB of memory", "3.4 GB are there, so that it may be killed. In "
            "params.yaml, lower `loop.workers`, then `loop.batch`, or choose smaller encoders.")])
def test_the_words(free: float, begins: str, ends: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "available", lambda: int(free))
    monkeypatch.setattr(machine, "resident", lambda: 500_000_000)
    said = memory.said(Need(500_000_000, 900_000_000, 100_000_000), LOOP, units=4)
    assert said.startswith(begins) and said.endswith(ends)


def test_one_at_a_time_has_no_workers_to_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "available", lambda: 0)
    said = memory.said(Need(1, 1, 1), LOOP, units=1)
    assert "In params.yaml, lower `loop.batch`, or" in said and "at a time" not in said


def test_a_container_has_less_than_its_machine(tmp_path: Path) -> None:
    whole = machine.available(tmp_path)
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("100\n")
    assert machine.available(tmp_path) > 1_000_000 < whole
    (group / "memory.max").write_text("1100\n")
    assert machine.available(tmp_path) == 1000
    (group / "memory.current").write_text("1200\n")
    assert machine.available(tmp_path) == 0
