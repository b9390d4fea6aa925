"""docs/losses.md and the measurement behind it."""

import json

import numpy as np
import pytest
import torch

from benchmarks import losses as page_of_losses
from trivium import modalities
from trivium.data.sources import symbols
from trivium.tasks import losses
from trivium.tasks.regression import Settings

PAGE = page_of_losses.PAGE.read_text(encoding="utf-8")


def test_the_page_holds_what_was_measured() -> None:
    found = json.loads(page_of_losses.RESULTS.read_text(encoding="utf-8"))
    assert page_of_losses.filled(PAGE, found) == PAGE, "run `PYTHONPATH=src .venv/bin/python -m benchmarks.losses page`"
    for part, ways in (("skewed", page_of_losses.LOSSES), ("small", page_of_losses.REGULARISERS)):
        assert page_of_losses.table(found[part]) in PAGE and set(found[part]) == set(ways)
        assert all(len(each) == page_of_losses.SEEDS for one in found[part].values() for each in one.values())


def test_every_loss_and_every_setting_stands_on_the_page() -> None:
    for known in (losses.CLASSES, losses.TAGS):
        for name, settings in known.items():
            assert f"`{name}`" in PAGE
            for key, field in settings.model_fields.items():
                assert f"`{key}: {field.default:g}`" in PAGE
    for name in Settings.model_fields["loss"].annotation.__args__:  # type: ignore[union-attr]
        assert f"`{name}`" in PAGE
    for name in modalities.names():
        for key in getattr(getattr(modalities.get(name), "Augment", None), "model_fields", ()):
            assert f"`{key}`" in PAGE, f"{name}: {key}"


def test_the_skewed_set_has_the_shares_it_says() -> None:
    y, symbols_of = page_of_losses.drawn(np.random.default_rng(0), 1000, page_of_losses.SHARES)
    assert np.bincount(y).tolist() == [700, 200, 70, 30] and all(len(one) == 1000 for one in symbols_of.values())
    assert (symbols_of["audio"] == y).mean() == pytest.approx(0.925, abs=0.03)  # c(y, .9) of four symbols


def test_signals_are_those_of_the_source() -> None:
    found = page_of_losses.signals(np.random.default_rng(1), 200)
    assert found.inputs["text"].shape == (200, 16) and int(found.inputs["text"].max()) < 3 + symbols.FILLERS[1]
    assert found.inputs["image"].shape == (200, 1, 12, 12) and found.inputs["audio"].shape == (200, 1, 128)
    assert found.inputs["image"].std() == pytest.approx(1, abs=1e-3)
    assert torch.equal(found.y.bincount(), torch.tensor([50] * 4))


def test_a_short_form_of_the_measurement() -> None:
    sizes = {"train": 100, "val": 50, "test": 100, "steps": 3}
    for part, how in (("skewed", {"loss": "balanced", "balance": "synthesis"}),
                      ("small", {"mixup": 0.2, "dropout": 0.1})):
        one = page_of_losses.run(part, how, 0, sizes)
        assert set(one) == {"accuracy", "macro_f1", "nll"} and one == page_of_losses.run(part, how, 0, sizes)
        assert one != page_of_losses.run(part, {}, 0, sizes)


def test_what_the_table_says() -> None:
    made = {"nothing": {"accuracy": [0.5, 0.6], "macro_f1": [0.4, 0.4], "nll": [1.0, 1.0]},
            "this": {"accuracy": [0.6, 0.65], "macro_f1": [0.5, 0.3], "nll": [1.1, 1.2]}}
    lines = page_of_losses.table(made).splitlines()
    assert lines[3] == "| this | 62.5 (60.0 to 65.0) | 40.0 (30.0 to 50.0) | 1.150 (1.100 to 1.200) |"
    assert lines[5:] == ["- Accuracy: better than nothing at every seed: this (by 7.5 points).",
                         "- Macro F1: nothing is better or worse than doing nothing at every seed.",
                         "- NLL: worse at every seed: this (by 0.150 nats)."]
