"""The NVIDIA GPUs of this machine, as the driver tells of them; none where there is no driver."""

from __future__ import annotations

from typing import Any


def handles() -> list[Any]:
    """What `pynvml` asks each GPU by, in the driver's order."""
    try:
        import pynvml
    except ImportError:  # an installation that is not whole: `trivium doctor` names what it lacks
        return []
    try:
        pynvml.nvmlInit()
        return [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []


def names() -> list[str]:
    if not (gpus := handles()):
        return []
    import pynvml

    return [pynvml.nvmlDeviceGetName(gpu) for gpu in gpus]
