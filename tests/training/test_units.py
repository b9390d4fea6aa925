"""What the units of a stage cost, for reports/measured."""

from pathlib import Path

from trivium.training import units


def test_the_largest_process_on_a_gpu_counts() -> None:
    done = {"a": (Path("a"), {"seconds": 2.0, "gpu_bytes": 300}), "b": (Path("b"), {"seconds": 1.5, "gpu_bytes": 700})}
    assert units.measured(done, "seeds") == {"seeds": [2.0, 1.5], "peak_gpu_memory_bytes": 700}


def test_a_cpu_has_no_gpu_memory() -> None:
    assert units.measured({"a": (Path("a"), {"seconds": 2.0, "gpu_bytes": None})}, "units") == {"units": [2.0]}
