"""What the units of a stage cost, for reports/measured, and how far they are."""

import math
from pathlib import Path

from trivium.progress import Progress
from trivium.training import units


def test_the_largest_process_on_a_gpu_counts() -> None:
    done = {"a": (Path("a"), {"seconds": 2.0, "gpu_bytes": 300}), "b": (Path("b"), {"seconds": 1.5, "gpu_bytes": 700})}
    assert units.measured(done, "seeds") == {"seeds": [2.0, 1.5], "peak_gpu_memory_bytes": 700}


def test_a_cpu_has_no_gpu_memory() -> None:
    assert units.measured({"a": (Path("a"), {"seconds": 2.0, "gpu_bytes": None})}, "units") == {"units": [2.0]}


def test_units_that_have_not_begun_are_taken_to_be_as_long_as_the_others() -> None:
    progress = Progress("training", math.inf, "samples")
    for shared, far in ([0, 0, 0, 0, 0, 0], (0, math.inf)), ([5, 100, 0, 0, 20, 60], (25, 240)), (
            [100, 100, 140, 140, 60, 60], (300, 300)):
        units._show(progress, shared)
        assert (progress.done, progress.total) == far
