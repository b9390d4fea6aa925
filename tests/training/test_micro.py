"""A batch in parts: the same gradients as in one piece but for rounding, and the same bytes however it is shared."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import Tensor

from tests.helpers import digests
from tests.training import micro_works, tiny
from trivium.objectives import draws
from trivium.settings.errors import UserError
from trivium.strategies import entry
from trivium.training import jobs, micro, strategy, together
from trivium.training.settings import Loop

MICRO = tiny.LOOP.model_copy(update={"micro_batches": 4})
OBJECTIVES: dict[str, Any] = {"supervised": "supervised", "masked": {"name": "masked", "mask": 0.5}, "vae": "vae",
                              "adversarial": "adversarial", "denoising": "denoising"}


def trained(tmp_path: Path, loop: Loop, objective: Any, name: str = "selfsup") -> dict[str, str]:
    """Digests of all that a recipe leaves."""
    tiny.pretrained(tiny.recipe(name, objective=objective, share=0.5), loop)
    return digests(tmp_path, f"models/pretrain/{name}")


def weights(tmp_path: Path) -> dict[str, np.ndarray]:
    return {f"{path.parent.parent.name}.{key}": value
            for path in sorted((tmp_path / "models/pretrain").rglob("model.safetensors"))
            for key, value in load_file(path).items()}


def test_terms_are_added_up_in_the_order_of_a_tree() -> None:
    sums = micro.Tree()
    for term in (1e8, 1.0, -1e8, 3.0):
        sums.add(torch.tensor(term))
    assert sums.total.item() == (torch.tensor(1e8) + 1.0 + (torch.tensor(-1e8) + 3.0)).item() == 0.0


def test_a_part_gets_its_part_of_what_is_drawn_for_the_whole() -> None:
    whole = torch.Generator().manual_seed(5)
    uniform, normal = draws.rand((8, 3), whole), draws.randn((8, 20), whole)
    found = list[tuple[Tensor, Tensor]]()
    part = draws.Part()
    for k in range(4):
        own = part.of(5, 2 * k, 2 * k + 2, 8)
        found.append((draws.rand((2, 3), own), draws.randn((2, 20), own)))
    assert torch.equal(torch.cat([one for one, _ in found]), uniform)
    assert torch.equal(torch.cat([one for _, one in found]), normal)


def test_without_parts_the_draws_are_torchs_own() -> None:
    ours, torchs = (torch.Generator().manual_seed(7) for _ in range(2))
    assert torch.equal(draws.rand((4, 5), ours), torch.rand(4, 5, generator=torchs))
    assert torch.equal(draws.randn((4, 5), ours), torch.randn(4, 5, generator=torchs))


@pytest.mark.parametrize("name", ["supervised", "masked"])
def test_parts_train_as_the_whole_but_for_rounding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    tiny.project(tmp_path, monkeypatch)
    found = []
    for loop in tiny.LOOP, MICRO:
        trained(tmp_path, loop, OBJECTIVES[name], name if name == "supervised" else "selfsup")
        found.append(weights(tmp_path))
    assert found[0].keys() == found[1].keys()
    apart = max(float(np.abs(found[0][key] - found[1][key]).max()) for key in found[0])
    assert 0 < apart < (1e-3 if name == "supervised" else 0.05)  # a mean over hidden tokens counts parts alike


@pytest.mark.parametrize(("settings", "words"), [
    ({"micro_batches": 3}, r"`loop\.micro_batches: 3`: it is a power of two that divides `loop\.batch` \(4\)"),
    ({"micro_batches": 8}, r"`loop\.micro_batches: 8`: it is a power of two that divides `loop\.batch` \(4\)"),
    ({"processes": 2}, r"`loop\.processes: 2`: .* at most `loop\.micro_batches` \(0\)"),
    ({"micro_batches": 4, "processes": 3}, r"`loop\.processes: 3`: it is a power of two"),
])
def test_parts_that_cannot_be_shared_are_refused(settings: dict[str, int], words: str) -> None:
    with pytest.raises(UserError, match=words):
        Loop(**tiny.LOOP.model_dump() | settings)


def test_a_loss_that_compares_samples_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    with pytest.raises(UserError, match="cuts batches, and SimCLR compares the samples of a batch with each other"):
        trained(tmp_path, MICRO, "simclr")


def test_mixup_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    with pytest.raises(UserError, match=r"cuts batches, and loop\.mixup mixes samples"):
        trained(tmp_path, MICRO.model_copy(update={"mixup": 0.2}), "supervised", "supervised")


def test_weights_depend_on_the_parts_and_not_on_who_trains_them() -> None:
    plain = tiny.LOOP.decides()
    assert "micro_batches" not in plain and "workers" not in plain and "processes" not in plain
    assert MICRO.decides() == plain | {"micro_batches": 4}
    assert MICRO.model_copy(update={"processes": 4, "workers": 2}).decides() == MICRO.decides()


def together_trained(folder: Path, processes: int, work: Any = micro_works.each, **objectives: Any) -> dict[str, str]:
    """Digests of what encoders trained by `objectives` are, by file."""
    folder.mkdir(exist_ok=True)
    loop = MICRO.model_copy(update={"processes": processes, "augment": True})
    together.run(work, (objectives, loop), folder, lambda done, every: None, processes, "cpu")
    return digests(folder, ".")


@pytest.mark.slow
def test_weights_are_the_same_bytes_with_1_2_and_4_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    one, two, four = (together_trained(tmp_path / str(count), count, **OBJECTIVES) for count in (1, 2, 4))
    assert len(one) == 2 * len(OBJECTIVES) and len(set(one.values())) > len(OBJECTIVES)
    assert one == two == four


@pytest.mark.slow
def test_a_killed_training_goes_on_with_another_number_of_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                    ) -> None:
    tiny.project(tmp_path, monkeypatch)
    whole = together_trained(tmp_path / "whole", 1, masked=OBJECTIVES["masked"])
    with pytest.raises(KeyboardInterrupt):
        together_trained(tmp_path / "killed", 2, micro_works.stopped, masked=OBJECTIVES["masked"])
    assert [path.name for path in (tmp_path / "killed/masked").iterdir()] == ["checkpoint.pt"]
    assert together_trained(tmp_path / "killed", 1, masked=OBJECTIVES["masked"]) == whole


@pytest.mark.slow
def test_a_process_that_dies_before_they_meet_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    tiny.project(tmp_path, monkeypatch)
    whole, killed = together_trained(tmp_path / "whole", 1, masked=OBJECTIVES["masked"]), []

    def kill() -> None:
        while not killed:
            for child in psutil.Process().children():
                if "spawn_main" in " ".join(child.cmdline()) and not killed:
                    child.kill()
                    killed.append(child.pid)
            time.sleep(0.01)

    thread = threading.Thread(target=kill)
    thread.start()
    assert together_trained(tmp_path / "again", 2, masked=OBJECTIVES["masked"]) == whole
    thread.join()


@pytest.mark.slow
def test_a_process_that_is_killed_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="A process that trains a model together with others was killed"):
        together_trained(tmp_path / "out", 2, micro_works.die_later)


@pytest.mark.slow
def test_a_fusion_is_the_same_bytes_with_2_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    tiny.pretrained(tiny.recipe("scratch"))
    joint = entry("joint", {"start": "scratch", "strategy": "joint", "fusion": "concat"})
    found = []
    for processes in (1, 2):
        monkeypatch.setattr(jobs, "HOME", tmp_path / f".cache/units_{processes}")
        out = tmp_path / "models" / f"joint_{processes}"
        strategy.train(joint, MICRO.model_copy(update={"processes": processes}), [tiny.BUDGET], out)
        found.append(digests(out, "."))
    assert found[0] == found[1]


def test_on_a_gpu_one_process_trains(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"`loop\.processes: 2` trains a model on several CPU cores"):
        together.run(micro_works.each, None, tmp_path, lambda done, every: None, 2, "cuda")
