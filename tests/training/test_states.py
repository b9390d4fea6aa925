"""States below the blocks that move: made once, charged once, and nobody can tell from the model."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch

from tests import networks
from tests.tiny_media import ENTRIES
from tests.training import tiny
from trivium import models
from trivium.data.store import Store
from trivium.data.tables import read_json
from trivium.encoders import describe
from trivium.strategies import Entry
from trivium.strategies.lora import Settings, plan
from trivium.training import components, states, strategy
from trivium.training.feed import Feed
from trivium.training.loop import _train

DEEP = {name: describe(name, entry | {"depth": 3}) for name, entry in ENTRIES.items()}


def lora(limit: float, **changes: Any) -> dict[str, Any]:
    """The record of two seeds of LoRA on the last block of three."""
    settings = Settings(start="supervised", strategy="lora", blocks=1, **changes)
    entry = Entry("lora", "LoRA", "supervised", "lora", {}, plan(settings))
    strategy.train(entry, tiny.LOOP, [limit], Path("models/lora"))
    return read_json(Path("models/lora/training.json"))["seeds"][0]


def test_lora_gets_more_steps_for_the_same_budget(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch, encoders=DEEP)
    tiny.pretrained(tiny.recipe("supervised"), limit=tiny.BUDGET)
    fast = lora(3 * tiny.BUDGET)
    answers = models.load("models/lora/seed_0")
    monkeypatch.setattr(states, "ROOM", 0)
    shutil.rmtree(".cache")
    slow = lora(3 * tiny.BUDGET)
    assert fast["history"][0]["val_nll"] == pytest.approx(slow["history"][0]["val_nll"], abs=1e-5)
    assert fast["history"][0]["flops"] == slow["history"][0]["flops"]  # the probe paid for the pass
    assert fast["history"][-1]["step"] > 1.5 * slow["history"][-1]["step"]
    assert fast["flops"]["total"] <= 3 * tiny.BUDGET
    assert fast["flops"]["analytic"] == pytest.approx(fast["flops"]["total"], rel=0.01)
    store = Store("supervised")
    batch = store.batch(store.rows(0, "val"), 0)
    found = torch.nn.functional.nll_loss(answers(batch.inputs, batch.present), batch.y).item()
    best = min(row["val_nll"] for row in fast["history"])
    assert found == pytest.approx(best, abs=1e-4)
    untouched = components.encoder("supervised", "image", 0).state_dict()
    for name, weight in answers.encoders["image"].state_dict().items():
        assert torch.equal(weight, untouched[name]) or name.startswith("blocks.2.")


def test_states_belong_to_their_rows(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch, encoders=DEEP)
    tiny.pretrained(tiny.recipe("scratch"))
    store = Store("scratch")
    parts = {s: components.encoder("scratch", s, 0).eval() for s in store.streams}
    model = models.multimodal(parts, networks.task(2), {"name": "plain"}, 0)
    above = states.uppers(model, store, 0, 1)
    assert list(above) == ["text", "image", "audio"]
    rows = np.array([7, 3, 0, 10])
    feed = Feed(store, rows, 0, only=[], augment=True)
    assert states.hold(above, store, [feed])
    batch, raw = next(feed.once(4)), store.batch(rows, 0)
    for s, part in above.items():
        whole = parts[s](raw.inputs[s])
        has = torch.from_numpy(store.has(s)[rows])
        torch.testing.assert_close(part(batch.inputs[s])[has], whole[has])
    again = next(feed.training(4, 0, 1))
    assert all(x.flatten(1).sum(1).sort().values.allclose(batch.inputs[s].flatten(1).sum(1).sort().values)
               for s, x in again.inputs.items()), "kept states are not augmented"


def test_what_is_frozen_stays_in_eval_mode() -> None:
    class Task(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.below = torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.Dropout(0.5)).requires_grad_(False)
            self.above = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3).requires_grad_(False),
                                             torch.nn.Dropout(0.5))

    task = Task()
    _train(task)
    assert [part.training for part in (task, task.below, task.below[0], task.below[1])] == [True, False, False, False]
    assert [part.training for part in task.above] == [True, False, True]
