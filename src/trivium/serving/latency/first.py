"""A process that loads an exported model, answers one row, says how much memory that took, and ends."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from trivium.runtime.runner import Runner
from trivium.serving.latency.timing import samples


def main(folder: Path) -> None:
    runner = Runner(folder)
    inputs, present = samples(folder)
    runner.graph({s: x[:1] for s, x in inputs.items()}, present[:1])
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps({"peak_memory_bytes": unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
