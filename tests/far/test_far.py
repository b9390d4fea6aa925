"""Where there is no GPU: on a device that mixes with no other, training and evaluation give the CPU's numbers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CASES = [
    *(f"{work} {kind} of {encoder}" for encoder in ("cnn", "transformer", "hub")
      for work, kinds in (("train", ("concat", "attention")), ("evaluate", ("concat", "attention", "ensemble")))
      for kind in kinds),
    *(f"pretrain {objective} {m}" for objective in ("supervised", "masked") for m in ("text", "image", "audio")),
]


@pytest.fixture(scope="module")
def said() -> list[str]:
    done = subprocess.run([sys.executable, "-m", "tests.far.cases"], cwd=ROOT, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": f"src{os.pathsep}."})
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_every_case_ran(said: list[str]) -> None:
    assert [line.split(":")[0] for line in said] == CASES


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_it_is_the_same(case: str, said: list[str]) -> None:
    assert f"{case}: same" in said
