"""Which machine a figure was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from trivium.machine.workers import cores


def machine() -> dict[str, Any]:
    """Processor, cores, memory (bytes), GPUs and versions."""
    import torch

    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines()
             if line.startswith("model name")] if info.exists() else []
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else None
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": cores(),
        "memory_bytes": memory,
        "gpus": [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())],
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: version(name)
                     for name in ("torch", "transformers", "accelerate", "dvc", "mlflow", "pyarrow")},
    }
