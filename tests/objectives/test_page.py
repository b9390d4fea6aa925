"""docs/objectives.md and the measurement behind it."""

import json
import statistics

import pytest
import torch

from benchmarks import objectives as measured
from tests.objectives.streams import draw
from trivium import objectives
from trivium.data.sources import worlds


def test_the_page_holds_what_was_measured() -> None:
    found = json.loads(measured.RESULTS.read_text(encoding="utf-8"))
    page = measured.PAGE.read_text(encoding="utf-8")
    assert measured.filled(page, found) == page, "run `PYTHONPATH=src .venv/bin/python -m benchmarks.objectives page`"
    assert measured.costs(found) in page
    assert measured.helped(found, "probe") in page and measured.helped(found, "finetuned") in page
    assert set(found["costs"]) == set(objectives.names())


def test_every_objective_has_a_row_and_a_page() -> None:
    page = (measured.ROOT / "docs/strategies.md").read_text(encoding="utf-8")
    for name in objectives.names():
        assert f"\n| `{name}` | " in page
        for setting in set(objectives.chosen(name, "objective")) - {"name"}:
            row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` | "))
            assert f"`{setting}`" in row, (name, setting)


def test_nobody_was_better_than_the_ceiling() -> None:
    """But for chance: 2,000 samples have a standard error of 0.6 points at most below a ceiling of 94 %."""
    found = json.loads(measured.RESULTS.read_text(encoding="utf-8"))
    for name, one in found["accuracy"].items():
        for world, each in one.items():
            for values in each.values():
                assert statistics.mean(values) < found["worlds"][world]["ceiling"] + 0.02, (name, world)


def test_what_the_tables_say() -> None:
    def reached(probe: list[float]) -> dict[str, dict[str, list[float]]]:
        return {world: {"probe": probe, "finetuned": [0.5]} for world in ("unique", "synergy")}

    made = {"accuracy": {"random": reached([0.3, 0.32]), "masked": reached([0.42, 0.4]), "align": reached([0.31, 0.31]),
                         "vae": reached([0.2, 0.25])},
            "worlds": {"unique": {"ceiling": 1.0, "chance": 0.125}, "synergy": {"ceiling": 1.0, "chance": 0.5}},
            "adversarial": [{"start": 1.0, "error": 0.8, "apart": 0.01}, {"start": 1.1, "error": 0.7, "apart": 0.02}]}
    lines = measured.helped(made, "probe").splitlines()
    assert lines[4:6] == ["| random weights | 31.0 (30.0 to 32.0) | 31.0 (30.0 to 32.0) |",
                          "| `masked` | 41.0 (40.0 to 42.0) | 41.0 (40.0 to 42.0) |"]
    assert lines[-2] == ("- *unique*: more than 3 points above random weights: `masked`; more than 3 points below "
                         "random weights: `vae`.")
    assert lines[-1] == "- *synergy*: nobody is more than 3 points above chance."
    assert measured.told(made) == ("The mean of 2 seeds, and the lowest and the highest. Not measured yet: *redundant* "
                                   "and *dominant*.")
    assert measured.stable(made) == ("Over 2 seeds, the error on validation sounds was 1.00 to 1.10 before and 0.70 "
                                     "to 0.80 after. The points ended 0.010 to 0.020 nats per number from N(0, I).")


def test_a_short_form_of_the_measurement() -> None:
    unique = worlds.world("unique", 4)
    one = measured.reached("masked", unique, 0, steps=(2, 2))
    assert one == measured.reached("masked", unique, 0, steps=(2, 2))
    assert set(one) == {"probe", "finetuned"} and 0.125 < one["probe"] < 0.6
    assert measured.apart(torch.randn(4000, 3, generator=draw())) == pytest.approx(0.0, abs=0.003)
