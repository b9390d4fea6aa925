"""How far the verdict can be trusted: planted models, real training, and worlds with a known answer.

    make evidence                                       everything
    python -m benchmarks.evidence statistics            A/A, power and coverage with planted models
    python -m benchmarks.evidence training              A/A with real training
    python -m benchmarks.evidence worlds [NAME ...]     known answers

Writes benchmarks/results/evidence.json, part by part.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from benchmarks.evidence import statistics, training, worlds
from benchmarks.machine import machine
from trivium.machine import files

PATH = worlds.ROOT / "benchmarks/results/evidence.json"


def keep(part: dict[str, Any]) -> None:
    """Merge `part` into the results."""
    known = files.read_json_or(PATH, {})
    known |= part | {"command": "make evidence"}
    files.write(PATH, json.dumps(known, indent=1, sort_keys=True) + "\n")


def main(words: list[str]) -> None:
    what, names = (words[0], words[1:]) if words else ("all", [])
    if what in ("all", "statistics"):
        keep(statistics.run() | {"machine": machine()})
    if what in ("all", "training"):
        keep({"aa_training": training.run() | {"machine": machine()}})
    if what in ("all", "worlds"):
        known = json.loads(PATH.read_text()).get("worlds", {}) if PATH.exists() else {}
        for name in names or worlds.WORLDS:
            known[name] = worlds.run(name) | {"machine": machine()}
            keep({"worlds": known})
            print(f"{name}: {known[name]['says']}: {'holds' if known[name]['holds'] else 'does NOT hold'}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
