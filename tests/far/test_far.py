"""Where there is no GPU: on a device that mixes with no other, training and evaluation give the CPU's numbers, run no
operator that a GPU refuses in deterministic mode, and a step of training never waits for the device.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from tests.far.gpu import Watch

ROOT = Path(__file__).resolve().parents[2]
CASES = [
    *(f"{work} {kind} of {encoder}" for encoder in ("cnn", "transformer", "hub")
      for work, kinds in (("train", ("concat", "attention")), ("evaluate", ("concat", "attention", "ensemble")))
      for kind in kinds),
    *(f"pretrain {objective} {m}" for objective in ("supervised", "masked") for m in ("text", "image", "audio")),
    "pretrain dinov2", "pretrain wav2vec2", "stages", "other strategies",
]
STEPS = [
    "a step of concat of cnn", "a step of attention of cnn",
    *(f"a step of {objective} {m}" for objective in ("supervised", "masked") for m in ("text", "image", "audio")),
]


@pytest.mark.parametrize(("work", "refused"), [
    (lambda x: functional.interpolate(x, 6, mode="bicubic").sum().backward(), {"upsample_bicubic2d_backward"}),
    (lambda x: functional.interpolate(x.detach(), 6, mode="bicubic"), set()),
    (lambda x: functional.interpolate(x, 6, mode="nearest").sum().backward(), set()),
    (lambda x: functional.adaptive_avg_pool2d(x, 2).sum().backward(), {"_adaptive_avg_pool2d_backward"}),
    (lambda x: functional.adaptive_avg_pool2d(x, 1).sum().backward(), set()),
    (lambda x: functional.cross_entropy(x, torch.zeros(1, 4, 4, dtype=torch.int64)), {"nll_loss2d_forward"}),
    (lambda x: functional.cross_entropy(x, torch.zeros(1, 4, 4, dtype=torch.int64), reduction="none"), set()),
    (lambda x: torch.bincount(torch.tensor([0, 1]), torch.tensor([0.5, 0.5])), {"bincount"}),
    (lambda x: torch.bincount(torch.tensor([0, 1])), set()),
    (lambda x: x.median(1), {"median"}),
    (lambda x: x.median(), set()),
    (lambda x: x.detach().scatter_reduce(0, torch.zeros(1, 3, 4, 4, dtype=torch.int64), x, "prod"), {"scatter_reduce"}),
    (lambda x: x.detach().scatter_reduce(0, torch.zeros(1, 3, 4, 4, dtype=torch.int64), x, "sum"), set()),
])
def test_operators_that_a_gpu_refuses_are_seen(work: Callable[[torch.Tensor], object], refused: set[str]) -> None:
    with Watch() as watch:
        work(torch.rand(1, 3, 4, 4, requires_grad=True))
    assert watch.refused == refused


@pytest.fixture(scope="module")
def said() -> list[str]:
    done = subprocess.run([sys.executable, "-m", "tests.far.cases"], cwd=ROOT, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": f"src{os.pathsep}."})
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if "training takes about" not in line]


@pytest.mark.slow
def test_every_case_ran(said: list[str]) -> None:
    assert [line.split(":")[0] for line in said] == CASES + STEPS


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_it_is_the_same_and_nothing_is_refused(case: str, said: list[str]) -> None:
    assert f"{case}: same" in said


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_step_does_not_wait(step: str, said: list[str]) -> None:
    assert f"{step}: waits 0 times" in said
