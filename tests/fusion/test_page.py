"""docs/fusions.md and the measurement behind it."""

import json
import statistics

import numpy as np
import pytest
import torch

from benchmarks import fusions
from trivium import fusion
from trivium.data.settings import STREAMS
from trivium.data.sources import worlds


def test_the_page_holds_what_was_measured() -> None:
    found = json.loads(fusions.RESULTS.read_text(encoding="utf-8"))
    page = fusions.PAGE.read_text(encoding="utf-8")
    assert fusions.filled(page, found) == page, "run `PYTHONPATH=src .venv/bin/python -m benchmarks.fusions page`"
    assert set(found["fusions"]) <= set(fusion.names())
    assert fusions.costs(found) in page and fusions.reached(found) in page


def test_every_setting_of_a_fusion_stands_on_the_page() -> None:
    page = fusions.PAGE.read_text(encoding="utf-8")
    measured = json.loads(fusions.RESULTS.read_text(encoding="utf-8"))["fusions"]
    for name in measured:
        for setting in set(fusion.chosen(name, "fusion")) - {"name", "width"}:
            assert any(line.startswith(f"| `{name}` |") and f"`{setting}`" in line for line in page.splitlines())


def test_nobody_was_better_than_the_ceiling() -> None:
    """But for chance: 2,000 samples and three seeds, so a standard error of 0.3 points at most below a ceiling."""
    found = json.loads(fusions.RESULTS.read_text(encoding="utf-8"))
    for name, one in found["fusions"].items():
        for world, each in one["accuracy"].items():
            assert len(each) == 3 and statistics.mean(each) < found["worlds"][world]["ceiling"] + 0.01, (name, world)


def test_ideal_vectors_hold_the_symbol_and_nothing_else() -> None:
    world = worlds.world("dominant", fusions.SYMBOLS)
    vectors, y = fusions.ideal(world, np.random.default_rng(3), 500)
    truth, symbols = world.draw(np.random.default_rng(3), 500)
    assert y.tolist() == truth.tolist()
    for s in STREAMS:
        means = torch.stack([vectors[s][symbols[s] == k].mean(0) for k in range(4)])
        codes = means.sign()  # of random signs, and noise with a deviation of 1
        nearest = torch.cdist(vectors[s], codes).argmin(1)
        assert nearest.tolist() == symbols[s].tolist()
        rest = vectors[s] - codes[torch.from_numpy(symbols[s])]
        assert rest.std().item() == pytest.approx(1, abs=0.03) and rest.mean().item() == pytest.approx(0, abs=0.03)


def test_a_short_form_of_the_measurement() -> None:
    synergy = worlds.world("synergy", fusions.SYMBOLS)
    one = {name: fusions.learned(name, synergy, 0, steps=60) for name in ("sum", "concat")}
    assert one["sum"] < 0.6 < 0.9 < one["concat"]
    assert fusions.learned("concat", synergy, 0, steps=60) == one["concat"]
    assert fusions.cost("sum") == {"parameters": 3 * 65 * 64, "flops": 2 * 3 * 64 * 64}
    assert set(fusions.speeds(["sum", "plain"], rounds=1, seconds=0.01)) == {"sum"}  # nothing to train in the other


def test_costs_are_renewed_and_accuracies_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fusions.steps(["concat", "sum"], rounds=1, seconds=0.01)
    assert whole["concat"]["step_flops"] == 1.0 and 0.99 < whole["sum"]["step_flops"] < 1.0
    assert whole["sum"]["pace"] == whole["sum"]["step_seconds"] / whole["sum"]["step_flops"]
    monkeypatch.setattr(fusions, "bills", lambda names: {name: {"flops": 5.0} for name in names})
    before = {"fusions": {"sum": {"flops": 4.0, "accuracy": {"unique": [0.5]}}}, "steps": 7}
    assert fusions.renewed(before) == {"fusions": {"sum": {"flops": 5.0, "accuracy": {"unique": [0.5]}}}, "steps": 7}


def test_what_the_tables_say_of_a_fusion() -> None:
    made = {"fusions": {name: {"parameters": 12480, "flops": 24576.0, "samples_per_second": rate, "step_flops": 0.997,
                               "pace": 1.234, "accuracy": {world: each for world in fusions.WORLDS}}
                        for name, rate, each in (("sum", 118_610.8, [0.5, 0.51, 0.505]), ("concat", 15e3, [1.0, 1.0]),
                                                 ("plain", None, [1.0, 1.0]), ("pooling", 1e4, [0.7, 0.75]))},
            "worlds": {world: {"ceiling": 1.0, "chance": 0.5} for world in fusions.WORLDS}}
    assert fusions.costs(made).splitlines()[2] == (
        "| `sum` | Each stream is mapped to one width by a linear map of its own, and these are added | 12,480 | "
        "24,576 | 119,000 | 1.00 | 1.23 | additive fusion in Kiela et al. 2018, "
        "[arXiv 1802.02892](https://arxiv.org/abs/1802.02892) |")
    assert fusions.costs(made).splitlines()[-1] == (
        "In a whole step, nobody takes more than 1.3 times the seconds per FLOP of a step with `concat`; most has "
        "`sum` (1.23). Alone, on vectors that are there already, more than 1.3 times the seconds per FLOP of `concat` "
        "take `pooling` (1.50).")
    lines = fusions.reached(made).splitlines()
    assert lines[4].startswith("| `sum` | 50.5 (50.0 to 51.0) | ")
    assert lines[5].startswith("| `concat` | 100.0 | 100.0 |")
    assert lines[-1] == "- *synergy*: at chance: `sum`; more than 2 points below `concat`: `pooling`."
