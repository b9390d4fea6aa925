"""How the costs of parts are measured and told."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import parts


def test_seconds_are_in_those_of_the_base() -> None:
    weight = torch.randn(256, 256, requires_grad=True)

    def once() -> torch.Tensor:
        return weight @ weight

    def often() -> torch.Tensor:
        return torch.stack([once() for _ in range(8)]).sum(0)

    found = parts.against({"once": once, "often": often}, once, rounds=3, seconds=0.03)
    assert found["often"][1] > 3 > 2 > found["once"][1] > 0.5
    assert found["often"][0] < found["once"][0]


def test_who_is_dearer_than_its_flops_say() -> None:
    costs = {"a": {"pace": 1.31}, "b": {"pace": 1.3}, "c": {"pace": 2.0}}
    assert parts.dearer(costs, "x") == "more than 1.3 times the seconds per FLOP of x take `c` (2.00), `a` (1.31)"
    costs = {"a": {"pace": 1.0}, "b": {"pace": 1.3}}
    assert parts.dearer(costs, "x") == "nobody takes more than 1.3 times the seconds per FLOP of x; most has `b` (1.30)"


def test_costs_alone_are_measured_again(tmp_path: Path) -> None:
    results = tmp_path / "own.json"
    results.write_text(json.dumps({"costs": 1, "accuracy": 2, "machine": "old", "core_seconds": 9}))

    def never() -> dict[str, int]:
        raise AssertionError("accuracies were measured")

    found = parts.measured(["costs"], results, never, lambda old: old | {"costs": 3})
    assert found == json.loads(results.read_text())
    about = found.pop("costs_renewed")
    assert found == {"costs": 3, "accuracy": 2, "machine": "old", "core_seconds": 9}
    assert about["command"] == "python -m benchmarks.own costs" and about["machine"]["versions"]
    assert parts.measured(["page"], results, never)["costs"] == 3
    with pytest.raises(AssertionError, match="accuracies were measured"):
        parts.measured([], results, never)
