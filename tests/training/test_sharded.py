"""A model in shares: the same bytes with 2 and 4 processes, and those of the whole one where nothing is clipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.helpers import digests
from tests.training import micro_works, tiny
from trivium.objectives.ewc import EWC
from trivium.settings.errors import UserError
from trivium.strategies import entry
from trivium.training import jobs, micro, sharded, strategy, together
from trivium.training.settings import Loop

SHARES = tiny.LOOP.model_copy(update={"micro_batches": 4, "processes": 2, "shard": True})
OBJECTIVES: dict[str, Any] = {"supervised": "supervised", "masked": {"name": "masked", "mask": 0.5},
                              "adversarial": "adversarial"}


def trained(folder: Path, loop: Loop, work: Any = micro_works.each, **objectives: Any) -> dict[str, str]:
    """Digests of what encoders trained by `objectives` are, by file."""
    folder.mkdir(exist_ok=True)
    together.run(work, (objectives, loop), folder, lambda done, every: None, loop.processes, "cpu")
    return digests(folder, ".")


def with_(**changes: Any) -> Loop:
    return SHARES.model_copy(update=changes)


def test_shares_need_several_processes() -> None:
    with pytest.raises(UserError, match=r"`loop\.shard: true` .* set `loop\.processes` \(1\) to 2 or more"):
        Loop(**tiny.LOOP.model_dump() | {"micro_batches": 4, "shard": True})


def test_weights_depend_on_the_shares_and_not_on_how_many_there_are() -> None:
    whole = with_(shard=False).decides()
    assert "shard" not in whole and "shard" not in tiny.LOOP.decides()
    assert SHARES.decides() == with_(processes=4).decides() == whole | {"shard": True}


def test_what_needs_all_weights_at_once_is_refused() -> None:
    plain, pruned, scalar = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)
    plain.labels, pruned.after_step = True, print  # type: ignore[assignment]
    scalar.sharpness = nn.Parameter(torch.tensor(1.0))
    sharded.check(plain)
    for objective, words in ((EWC(plain, 1.0, {}), "EWC compares all weights with earlier ones"),
                             (pruned, "changes the weights by what it sees of them all"),
                             (scalar, "trains a single number")):
        with pytest.raises(UserError, match=words):
            sharded.check(objective)


def test_a_row_counts_the_same_in_any_share() -> None:
    whole = torch.randn(7, 37, generator=torch.Generator().manual_seed(0))
    rows = sharded._rows(whole)
    assert torch.allclose(rows, whole.double().square().sum(1))
    assert torch.equal(rows, torch.cat([sharded._rows(part) for part in (whole[:1], whole[1:6], whole[6:], whole[7:])]))
    assert torch.equal(sharded._rows(whole[:, 0]), whole[:, 0].double().square())


def test_the_optimizer_rounds_a_number_alike_wherever_its_share_ends() -> None:
    whole = torch.randn(37, generator=torch.Generator().manual_seed(0))
    flat = sharded._flat(whole)
    assert len(flat) == 64 and torch.equal(flat[:37], whole) and not flat[37:].any()
    even = torch.ones(8, 16)
    assert sharded._flat(even).data_ptr() == even.data_ptr()  # no copy


def test_a_process_without_an_item_works_for_the_others() -> None:
    class Second:
        num_processes, process_index = 2, 1

    asked: list[int] = []
    list(micro.shared([1, 2, 3], asked.append, Second(), even=True))  # type: ignore[arg-type, func-returns-value]
    assert asked == [2, 3]


@pytest.mark.slow
def test_the_bytes_are_those_of_any_number_of_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    loops = {"two": SHARES, "again": SHARES, "four": with_(processes=4), "whole": with_(processes=1, shard=False)}
    found = {name: trained(tmp_path / name, loop, **OBJECTIVES) for name, loop in loops.items()}
    assert len(found["two"]) == 2 * len(OBJECTIVES)
    assert found["two"] == found["again"] == found["four"]
    assert found["two"] != found["whole"]  # the norm, to which gradients are clipped, is added up in another order


@pytest.mark.slow
def test_the_bytes_are_those_of_the_whole_model_without_clipping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                  ) -> None:
    tiny.project(tmp_path, monkeypatch)
    whole = trained(tmp_path / "whole", with_(processes=1, shard=False, clip=1e6), **OBJECTIVES)
    assert trained(tmp_path / "shares", with_(clip=1e6), **OBJECTIVES) == whole


@pytest.mark.slow
def test_a_killed_training_goes_on_in_other_shares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    whole = trained(tmp_path / "whole", SHARES, masked=OBJECTIVES["masked"])
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "killed", with_(processes=4), micro_works.stopped, masked=OBJECTIVES["masked"])
    place = tmp_path / "killed/masked"
    assert [path.name for path in place.iterdir()] == ["checkpoint.pt"]
    kept = torch.load(place / "checkpoint.pt", weights_only=True)
    assert kept["task"]["encoder.stem.embed.weight"].shape[0] == 22  # words: all of them
    assert trained(tmp_path / "killed", SHARES, masked=OBJECTIVES["masked"]) == whole


@pytest.mark.slow
@pytest.mark.parametrize("name", ["joint", "soup"])
def test_a_fusion_is_the_same_bytes_in_2_and_4_shares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str,
                                                      ) -> None:
    tiny.project(tmp_path, monkeypatch)
    tiny.pretrained(tiny.recipe("scratch"))
    about, found = entry(name, {"start": "scratch", "strategy": name, "fusion": "attention"}), []
    for processes in (2, 4):
        monkeypatch.setattr(jobs, "HOME", tmp_path / f".cache/units_{processes}")
        out = tmp_path / "models" / f"{name}_{processes}"
        strategy.train(about, with_(processes=processes), [tiny.BUDGET], out)
        found.append(digests(out, "."))
    assert found[0] == found[1]
