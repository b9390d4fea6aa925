"""What strategies lose on a held-out domain: from outs of known accuracies to numbers and words."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.comparison import outs
from tests.comparison.outs import write_outs
from trivium.data.tables import read_json, write_json

TEST = {"end_to_end": 0.70, "unimodal": 0.80, "ensemble": 0.90}


def compared(root: Path, away: dict[str, float]) -> Any:
    """What a comparison says of domains, where strategies have `TEST` accuracy, and `away` on a held-out domain."""
    write_outs(root, TEST, hard=0.5, seed_sd=0)
    write_outs(root / "away", away, tests=1000, seed_sd=0)  # the same 1,000 samples for every seed
    for name in TEST:
        here, there = (folder / "reports/evaluate" / name for folder in (root, root / "away"))
        found, other = read_json(here / "metrics.json"), read_json(there / "metrics.json")
        for k, seed in enumerate(found["seeds"]):
            seed["domain"] = {"held_out": {"name": "phone", "n": 1000, "metrics": other["seeds"][k]["metrics"]}}
        write_json(found, here / "metrics.json")
        (there / "predictions.parquet").rename(here / "held_out.parquet")
    return outs.compared(root, TEST)["domains"]["held_out"]


def test_the_one_that_loses_least(tmp_path: Path) -> None:
    found = compared(tmp_path, {"end_to_end": 0.40, "unimodal": 0.70, "ensemble": 0.60})
    assert (found["name"], found["n"], found["least"]) == ("phone", 1000, "unimodal")
    assert "by" not in found
    for name, entry in found["strategies"].items():
        seeds = [read_json(tmp_path / f"reports/evaluate/{name}/metrics.json")["seeds"][k] for k in range(5)]
        away = [seed["domain"]["held_out"]["metrics"]["accuracy"] for seed in seeds]
        drops = [seed["metrics"]["accuracy"] - one for seed, one in zip(seeds, away, strict=True)]
        assert entry["value"]["mean"] == pytest.approx(np.mean(away), rel=1e-5)
        assert entry["drop"]["mean"] == pytest.approx(np.mean(drops), rel=1e-5)
        true = {"end_to_end": 0.3, "unimodal": 0.1, "ensemble": 0.3}[name]
        assert entry["drop"]["low"] < true < entry["drop"]["high"] < entry["drop"]["low"] + 0.1
    own = found["strategies"]["unimodal"]["drop"]
    worst = max(entry["drop"]["mean"] for entry in found["strategies"].values())
    assert found["sentence"] == (
        f"Accuracy on the held-out domain phone is {100 * own['mean']:.1f} to {100 * worst:.1f} points below that on "
        f"the test set; “Best single stream” loses least, {100 * own['mean']:.1f} points ({100 * own['low']:.1f} to "
        f"{100 * own['high']:.1f}).")


def test_who_loses_least_is_not_said_where_it_could_be_chance(tmp_path: Path) -> None:
    found = compared(tmp_path, {"end_to_end": 0.40, "unimodal": 0.50, "ensemble": 0.60})
    assert "least" not in found
    means = sorted(entry["drop"]["mean"] for entry in found["strategies"].values())
    assert found["sentence"] == (
        f"Accuracy on the held-out domain phone is {100 * means[0]:.1f} to {100 * means[2]:.1f} points below that on "
        "the test set; no strategy clearly loses least.")


def test_an_easier_domain(tmp_path: Path) -> None:
    found = compared(tmp_path, {"end_to_end": 0.80, "unimodal": 0.99, "ensemble": 0.95})
    drops = {name: entry["drop"]["mean"] for name, entry in found["strategies"].items()}
    own = found["strategies"]["unimodal"]["drop"]
    assert found["sentence"] == (
        f"Accuracy on the held-out domain phone is {-100 * max(drops.values()):.1f} to {-100 * own['mean']:.1f} points "
        f"above that on the test set; “Best single stream” gains most, {-100 * own['mean']:.1f} points "
        f"({-100 * own['high']:.1f} to {-100 * own['low']:.1f}).")


def test_a_domain_like_the_others(tmp_path: Path) -> None:
    found = compared(tmp_path, TEST)
    assert found["sentence"] == ("No strategy's accuracy on the held-out domain phone clearly differs from that on its "
                                 "test set.")


def test_domains_of_the_test_set(tmp_path: Path) -> None:
    """Seeds take turns: 0, 2 and 4 have both domains, 1 and 3 only one of them and another one."""
    by = [{"a": {"n": 10, "score": 0.5}, "b": {"n": 20, "score": 0.9}},
          {"a": {"n": 15, "score": 0.7}, "c": {"n": 20, "score": 1.0}}]
    write_outs(tmp_path, TEST)
    for name in TEST:
        path = tmp_path / "reports/evaluate" / name / "metrics.json"
        metrics = read_json(path)
        for k, seed in enumerate(metrics["seeds"]):
            seed["domain"] = {"by": by[k % 2]}
        write_json(metrics, path)
    found = outs.compared(tmp_path, TEST)["domains"]
    assert list(found) == ["by"] and list(found["by"]) == ["a", "b", "c"]
    assert found["by"]["a"]["n"] == 12
    assert found["by"]["a"]["score"]["ensemble"] == {"mean": 0.58, "low": 0.5, "high": 0.7}
    assert found["by"]["c"] == {"n": 20, "score": {name: {"mean": 1, "low": 1, "high": 1} for name in TEST}}
