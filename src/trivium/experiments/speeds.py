"""How fast the work of a run is on this machine."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from dataclasses import dataclass

from trivium.machine import source

FEWEST = 32  # rows that the analyses can do with


@dataclass(frozen=True)
class Speed:
    """What a recipe's encoders take, in seconds of one core.

    step: of a sample in a step of training everything, which costs `flops`; 0 where nothing is trained.  head: of a
    step of what stands on them, `head_flops` a sample.  passed: of a sample through the encoders;  once: through those
    whose vectors are kept for all seeds.  fitted: of linear probes, per train row.  first, further: of evaluating a
    model at the first seed and at each other one;  fewer: at another one with `FEWEST` rows for the analyses instead of
    `rows`.  exported: of a model made one graph.

    trained, evaluated: bytes that one training, and one evaluation, take beside the program, and for `each` sample of a
    batch.
    """

    step: float = 0.0
    flops: float = 0.0
    head: float = 0.0
    head_flops: float = 0.0
    passed: float = 0.0
    once: float = 0.0
    fitted: float = 0.0
    first: float = 0.0
    further: float = 0.0
    fewer: float = 0.0
    rows: int = FEWEST
    exported: float = 0.0
    trained: int = 0
    trained_each: float = 0.0
    evaluated: int = 0
    evaluated_each: float = 0.0

    @property
    def through(self) -> float:
        """Of a sample through all encoders."""
        return self.passed + self.once


def start(modules: str) -> float:
    """Seconds of computing until a new process has loaded `modules`: "torch, pyarrow"; once warm."""
    path = os.pathsep.join([str(source.HOME), os.environ.get("PYTHONPATH", "")])
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", f"import {modules}"], check=True, env=os.environ | {"PYTHONPATH": path})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
