"""The table of small models in docs/strategies.md, and the measurement behind it."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest

from benchmarks import compression as measured
from benchmarks.parts import filled
from trivium import params as settings

FOUND = json.loads(measured.RESULTS.read_text(encoding="utf-8"))


def mean(world: str, name: str) -> float:
    return statistics.mean(FOUND["worlds"][world][name]["accuracy"])


def test_the_page_holds_what_was_measured() -> None:
    page = measured.PAGE.read_text(encoding="utf-8")
    made = measured.table(FOUND)
    assert made in page, "run `PYTHONPATH=src .venv/bin/python -m benchmarks.compression page`"
    assert filled(page, "benchmarks.compression", {"small models": made}) == page


def test_where_the_teacher_is_right_a_student_a_third_as_large_is_close_to_it() -> None:
    student, teacher = FOUND["worlds"]["dominant"]["half"], FOUND["worlds"]["dominant"]["teacher"]
    assert abs(mean("dominant", "half") - mean("dominant", "teacher")) < 0.03
    assert student["weights"] < 0.34 * teacher["weights"] and student["graph"] < 0.36 * teacher["graph"]


def test_zeros_are_as_many_as_were_asked_for_and_save_room_only_once_packed() -> None:
    for one in FOUND["worlds"].values():
        joint, fifth, twentieth = one["joint"], one["fifth"], one["twentieth"]
        assert joint["file"] == fifth["file"] == twentieth["file"] and joint["graph"] == fifth["graph"]
        assert twentieth["packed"] < fifth["packed"] < 0.35 * joint["packed"]
        assert 0.15 < fifth["filled"] / joint["weights"] < 0.25


def test_every_entry_spent_the_same_budget_at_most() -> None:
    assert all(own["budget"] <= 1 for one in FOUND["worlds"].values() for own in one.values())


def test_the_measurement_has_the_settings_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    measured._settings(Path(), "dominant")
    found = settings.load()
    settings.check(found)
    assert list(found.entries) == list(measured.ENTRIES) == list(measured.WORDS)
    assert {name: one["width"] for name, one in found.encoder.items() if name.endswith("_narrow")
            and name != "rows_narrow"} == {"words_narrow": 32, "patches_narrow": 32, "bands_narrow": 32,
                                           "waves_narrow": 32, "frames_narrow": 32}
    assert (found.entries["half"].settings["student"], found.entries["half"].settings["alpha"]) == (0.5, 0.1)


def test_what_the_table_says() -> None:
    own: dict[str, Any] = {"filled": 1234, "graph": 5400, "packed": 2100, "ms": 0.123, "ms_int8": 0.1,
                           "int8": {"bytes": 1600, "loss": 0.25}}
    accuracy = {"joint": [0.8, 0.7], "teacher": [0.9, 0.9], "half": [0.88, 0.9], "narrow": [0.8, 0.8],
                "fifth": [0.8, 0.72], "twentieth": [0.5, 0.5]}
    each = {name: own | {"accuracy": accuracy.get(name, [0.5, 0.5])} for name in measured.ENTRIES}
    each["narrow"] = each["narrow"] | {"int8": None}
    made = {"worlds": {world: each for world in measured.WORLDS}}
    lines = measured.table(made).splitlines()
    assert lines[2] == ("| `joint` from `scratch` | 75.0 (70.0 to 80.0) | 75.0 (70.0 to 80.0) | 1,234 | 5 kB | 2 kB | "
                        "2 kB | −0.25 | 0.12 | 0.10 |")
    assert lines[7].endswith("| 1,234 | 5 kB | 2 kB | – | – | 0.12 | – |")
    assert lines[-1] == (
        "- *unique*: a student half as wide is 1.0 points below its teacher and 9.0 points above the same network "
        "without one; with a fifth of its weights, a network is 1.0 points above `joint`, with a twentieth 25.0 points "
        "below it.")
