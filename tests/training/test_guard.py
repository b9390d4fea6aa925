"""A step that there is nothing to learn from changes nothing, is counted and named, and too many end the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from tests import networks
from trivium.data.store import Batch
from trivium.machine import device
from trivium.settings.errors import UserError
from trivium.training import loop, together
from trivium.training.eager import AdamW
from trivium.training.feed import Feed
from trivium.training.loop import Schedule, fit
from trivium.training.settings import Loop

SETTINGS = Loop(batch=4, weight_decay=0.05, warmup=0.1, clip=1.0, evaluations=5, augment=False, device="cpu",
                workers=1, most_bad_steps=0.5)
STEPS = 40


class Sums(nn.Module):
    """A linear layer behind one that keeps running statistics."""

    labels = True
    task = networks.task(2)

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers, self.scale = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 2)), scale
        self.register_buffer("seen", torch.zeros(4))

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        with torch.no_grad():
            self.seen += batch.inputs["x"].mean(0)
        return nn.functional.cross_entropy(self.outputs(batch), batch.y) * self.scale

    def outputs(self, batch: Batch) -> Tensor:
        return self.layers(batch.inputs["x"])

    def nll(self, outputs: Tensor, y: Tensor) -> float:
        return nn.functional.cross_entropy(outputs, y).item()


class Names:
    samples = tuple(f"r{k:03d}" for k in range(32))


def feed(bad: dict[int, float] | None = None, store: Any = Names) -> Feed:
    x = torch.randn(32, 4, generator=torch.Generator().manual_seed(1))
    y = (x[:, 0] > 0).long()
    for row, value in (bad or {}).items():
        x[row, 2] = value
    return Feed(Batch({"x": x}, torch.ones(32, 1, dtype=torch.bool), y), np.arange(32), 0, store=store)


def train(task: Any, given: Feed, accelerator: Accelerator | None = None, checkpoint: Path | None = None,
          **changes: Any) -> list[dict[str, Any]]:
    return fit(task, given, feed(), Schedule(STEPS, 4, 0.05, name="`mine`, phase `joint`, seed 0"),
               SETTINGS.model_copy(update=changes), accelerator or device.prepare("cpu"), 0, checkpoint=checkpoint)


def bad(history: list[dict[str, Any]]) -> list[int]:
    return [row["bad"]["count"] if "bad" in row else 0 for row in history]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_bad_step_is_skipped_counted_and_named(value: float, capsys: pytest.CaptureFixture[str]) -> None:
    task = Sums()
    history = train(task, feed({7: value}))
    assert bad(history) == [0, 1, 1, 1, 1, 1]  # the row comes once an epoch
    first = history[1]["bad"]
    assert first["what"] == "its loss is not a finite number"
    assert first["inputs"] == {"x": ["r007"]} and "r007" in first["rows"] and len(first["rows"]) == 4
    assert all(np.isfinite(row["train_loss"]) for row in history[1:])
    assert all(x.isfinite().all() for x in task.state_dict().values())
    assert history[-1]["val_nll"] < history[0]["val_nll"]
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 5
    assert said[0] == (
        f"`mine`, phase `joint`, seed 0: 1 of 8 steps had nothing to learn from and changed nothing. Step "
        f"{first['step']}: its loss is not a finite number. Its rows: {', '.join(first['rows'])}. Of these, `x` holds "
        "numbers that are not finite in r007.")


def test_a_run_without_bad_steps_says_nothing_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    history = train(Sums(), feed())
    assert set(history[1]) == {"step", "epoch", "train_loss", "val_nll", "val_score"}
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("loss", "scale", "skipped"), [
    (0.0, 1.0, False), (0.0, 1e5, False), (0.0, 1e7, True), (0.0, float("inf"), True), (float("nan"), 1.0, True),
    (float("inf"), 1.0, True), (float("-inf"), 1.0, True)])
def test_a_step_that_is_left_out_leaves_the_optimizer_as_it_was(loss: float, scale: float, skipped: bool) -> None:
    layer = nn.Linear(3, 2)
    mine = AdamW(layer.parameters(), 0.1, 1.0)
    layer(torch.ones(2, 3)).sum().backward()
    mine.step(0.1)
    before = [x.clone() for x in (*layer.parameters(), *mine.state())]
    (layer(torch.ones(2, 3)).sum() * scale).backward()
    mine.step(0.1, torch.tensor(loss))
    same = [torch.equal(old, new) for old, new in zip(before, (*layer.parameters(), *mine.state()), strict=True)]
    assert all(same) if skipped else not any(same)
    assert all(weight.grad is None for weight in layer.parameters())


def test_stop_ends_the_run_at_once() -> None:
    with pytest.raises(UserError) as error:
        train(Sums(), feed({7: float("nan")}), bad_steps="stop")
    assert str(error.value).startswith(
        "`mine`, phase `joint`, seed 0: 1 of 8 steps had nothing to learn from and changed nothing. Step ")
    assert str(error.value).endswith(
        "numbers that are not finite in r007. Training ends, since `loop.bad_steps` is `stop`: look at these rows, "
        "lower the learning rate, or set it to `skip` in params.yaml.")


def test_too_many_bad_steps_end_the_run() -> None:
    with pytest.raises(UserError) as error:
        train(Sums(), feed({7: float("nan")}), most_bad_steps=0.05)  # two of forty; the third is in the third epoch
    assert ": 3 of 24 steps had nothing to learn from" in str(error.value)
    assert str(error.value).endswith(
        "That is more than `loop.most_bad_steps` (0.05 of 40) allows, so that training ends: look at these rows, or "
        "lower the learning rate in params.yaml.")
    assert bad(train(Sums(), feed({7: float("nan")}), most_bad_steps=0.125)) == [0, 1, 1, 1, 1, 1]


def test_a_killed_run_counts_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, again, given = Sums(), Sums(), feed({7: float("nan")})
    expected = train(whole, given)
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 0.0)
    killed, count = Sums(), 0
    original = killed.loss

    def dies(batch: Batch, generator: torch.Generator) -> Tensor:
        nonlocal count
        count += 1
        if count == 20:
            raise KeyboardInterrupt
        return original(batch, generator)

    killed.loss = dies  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        train(killed, given, checkpoint=tmp_path / "checkpoint.pt")
    with pytest.raises(UserError, match=": 3 of 24 steps"):  # two before the kill, one behind it
        train(Sums(), given, checkpoint=tmp_path / "checkpoint.pt", most_bad_steps=0.05)
    assert train(again, given, checkpoint=tmp_path / "checkpoint.pt") == expected
    assert all(torch.equal(x, again.state_dict()[key]) for key, x in whole.state_dict().items())


def test_a_gradient_that_explodes_is_no_step() -> None:
    history = train(Sums(scale=1e9), feed(), most_bad_steps=1.0)
    assert bad(history)[1:] == [8] * 5
    assert history[1]["bad"]["what"].startswith("its gradient has a norm of ")
    assert history[1]["train_loss"] is None and history[-1]["val_nll"] == history[0]["val_nll"]


@pytest.fixture
def bf16() -> Iterator[Accelerator]:
    """A process has one of a kind."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield Accelerator(cpu=True, mixed_precision="bf16")
    AcceleratorState._reset_state(reset_partial_state=True)


def test_what_overflows_in_bf16_is_no_step(bf16: Accelerator) -> None:
    """3.4e38 is a float32, and infinite in the 8 bits of a bfloat16."""
    task, given = Sums(), feed()
    memory = given.memory
    assert memory is not None
    memory.inputs["x"][5] = 3.4e38
    task.layers = nn.Sequential(nn.Linear(4, 2))
    history = train(task, given, bf16)
    assert bad(history)[1:] == [1] * 5
    assert "inputs" in history[1]["bad"] and history[1]["bad"]["inputs"] == {}  # in float32 they are finite
    assert all(weight.isfinite().all() for weight in task.parameters())


@pytest.mark.parametrize("parts", [1, 2])
def test_a_bad_part_of_a_batch_skips_all_of_it(parts: int) -> None:
    task = Sums()
    history = train(task, feed({7: float("nan")}), micro_batches=parts)
    assert bad(history) == [0, 1, 1, 1, 1, 1]
    assert all(x.isfinite().all() for x in task.state_dict().values())


def spoiled(settings: Loop, folder: Path, report: Any) -> list[dict[str, Any]]:
    task = Sums()
    history = fit(task, feed({7: float("nan")}), feed(), Schedule(STEPS, 4, 0.05), settings, device.prepare("cpu"), 0)
    torch.save(task.layers.state_dict(), folder / "weights.pt")
    return history


@pytest.mark.slow
def test_processes_that_train_together_skip_the_same_steps(tmp_path: Path) -> None:
    found = {}
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        loop = SETTINGS.model_copy(update={"micro_batches": 2, "processes": processes})
        history = together.run(spoiled, loop, folder, lambda done, every: None, processes, "cpu")
        assert bad(history) == [0, 1, 1, 1, 1, 1]
        found[processes] = history, (folder / "weights.pt").read_bytes()
    assert found[1] == found[2]
