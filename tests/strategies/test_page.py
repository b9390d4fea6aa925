"""docs/strategies.md and the measurement behind it."""

import json
import statistics
from pathlib import Path

import pytest

from benchmarks import strategies as measured
from trivium import params, strategies
from trivium.settings import parts


def test_the_page_holds_what_was_measured() -> None:
    found = json.loads(measured.RESULTS.read_text(encoding="utf-8"))["worlds"]
    page = measured.PAGE.read_text(encoding="utf-8")
    assert measured.filled(page, found) == page, "run `PYTHONPATH=src .venv/bin/python -m benchmarks.strategies page`"
    assert measured.table(found) in page
    assert all(set(one["accuracy"]) <= set(strategies.names()) for one in found.values())


def test_every_strategy_and_each_of_its_settings_stands_on_the_page() -> None:
    first = measured.PAGE.read_text(encoding="utf-8").split("\n## ")[1]
    rows = {line.split("`")[1]: line for line in first.splitlines() if line.startswith("| `")}
    for name in strategies.names():
        part = parts.get(strategies, name, "strategy", "strategy")
        for setting in set(part.Settings.model_fields) - {"start", "strategy", "title"}:
            assert f"`{setting}`" in rows[name], (name, setting)


def test_nobody_was_better_than_the_ceiling() -> None:
    """But for chance: 2,000 samples and three seeds."""
    found = json.loads(measured.RESULTS.read_text(encoding="utf-8"))["worlds"]
    for world, one in found.items():
        for name, each in one["accuracy"].items():
            assert len(each) == 3 and statistics.mean(each) < one["ceiling"] + 0.01, (name, world)


def test_what_the_table_says() -> None:
    each = {"joint": [0.8, 0.7, 0.75], "dgl": [0.85, 0.75, 0.76], "ogm_ge": [0.9, 0.69, 0.8], "lpft": [0.7, 0.6, 0.7],
            "alternating": [0.5, 0.51, 0.5]}
    made = {"synergy": {"ceiling": 1.0, "chance": 0.5, "train": 10, "accuracy": each}}
    lines = measured.table(made).splitlines()
    assert lines[2:6] == [
        "| ceiling | | 100.0 |", "| chance | | 50.0 |", "| `joint` | `scratch` | 75.0 (70.0 to 80.0) |",
        "| `dgl` | `scratch` | 78.7 (75.0 to 85.0) |"]
    assert lines[-1] == "- *synergy*: ahead of `joint`: `dgl`; behind it: `lpft`; at chance: `alternating`."
    del each["dgl"], each["lpft"], each["alternating"]
    assert measured.table(made).splitlines()[-1] == "- *synergy*: nobody is ahead of `joint` or behind it."


def test_the_measurement_has_the_settings_of_the_strategies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    measured._settings("synergy", 800, 3, 40, list(measured.STARTS))
    found = params.load(Path("params.yaml"))
    params.check(found)
    assert {name: one.start for name, one in found.entries.items()} == measured.STARTS
    assert found.budget.of == "joint" and found.loop.workers == 1 and not found.loop.augment
    for name, one in found.entries.items():
        assert one.settings == strategies.entry(name, {"start": one.start, "strategy": name}).settings
