"""What `trivium look --time` foretells of small data sets of different sorts, and what `dvc repro` then takes.

    python -m benchmarks.forecast [NAME ...]          a whole run of each, in a project of its own with an empty cache
    python -m benchmarks.forecast told [NAME ...]     the forecasts anew, of runs that are there (.cache/bench-forecast)

What is held against each other is computing time, of all processes together: other programs disturb it less than the
clock. Adds to `benchmarks/results/forecast.json`, and fills the table of docs/looking-at-data.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import psutil

from benchmarks.forecast.computed import watch
from benchmarks.forecast.sets import ROOT, SETS, environment, project
from benchmarks.machine import machine
from benchmarks.parts import filled
from trivium.machine import files, memory

OUT, PAGE = ROOT / "benchmarks/results/forecast.json", ROOT / "docs/looking-at-data.md"
HOME = ROOT / ".cache/bench-forecast"
KINDS = ("recipes", "strategies", "evaluation", "timing of answers", "comparison and report", "export")


def told(name: str) -> dict[str, Any]:
    """By stage behind `budget`, what this code foretells: see `benchmarks.forecast.told`."""
    asked = subprocess.run([sys.executable, "-m", "benchmarks.forecast.told"], cwd=HOME / name, check=True, text=True,
                           env=environment(ROOT), stdout=subprocess.PIPE)
    return dict(json.loads(asked.stdout.splitlines()[-1]))


def measure(name: str) -> dict[str, Any]:
    """By stage behind `budget`: what was foretold, and what it took."""
    home = HOME / name
    project(SETS[name], home)
    subprocess.run(["dvc", "repro", "--quiet", "budget"], cwd=home, env=environment(home), check=True,
                   stdout=subprocess.DEVNULL)
    before = told(name)
    if (most := max(one["bytes"] for one in before.values())) > memory.available():
        sys.exit(f"{name} would take {memory.size(most)} of memory, which is not there: nothing was run.")
    with subprocess.Popen(["dvc", "repro"], cwd=home, env=environment(home), stdout=subprocess.DEVNULL) as process:
        taken = watch(psutil.Process(process.pid))
    if process.returncode:
        sys.exit(f"dvc repro failed in {home}.")
    stages = {stage: one | {"took": round(taken[stage].computing, 2), "took_bytes": taken[stage].bytes}
              for stage, one in before.items()}
    return {"words": SETS[name].words, "stages": stages, "dvc": round(taken["dvc"].computing, 2)}


def renewed(found: dict[str, Any], name: str) -> dict[str, Any]:
    """The same run, foretold by this code."""
    now = told(name)
    return found | {"stages": {stage: one | now[stage] for stage, one in found["stages"].items()}}


def kinds(found: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Kind of stage -> seconds of computing, foretold and taken."""
    stages = found["stages"].values()
    return {kind: (sum(one["computing"] for one in mine), sum(one["took"] for one in mine))
            for kind in KINDS if (mine := [one for one in stages if one["kind"] == kind])}


def table(found: dict[str, Any]) -> str:
    """In Markdown: a row per data set."""
    lines = ["| data | " + " | ".join(KINDS) + " | all of it | off by | memory of the largest stage | besides, DVC |",
             "|---|" + "---|" * (len(KINDS) + 4)]
    for one in found["sets"].values():
        each, stages = kinds(one), one["stages"]
        foretold, took = (sum(pair[k] for pair in each.values()) for k in (0, 1))
        cells = [f"{each[kind][0]:.0f} / {each[kind][1]:.0f}" if kind in each else "–" for kind in KINDS]
        most, really = (max(stages, key=lambda s: stages[s][key]) for key in ("bytes", "took_bytes"))
        size = f"{stages[most]['bytes'] / 1e9:.1f} / {stages[really]['took_bytes'] / 1e9:.1f} GB"
        lines.append(f"| {one['words']} | " + " | ".join(cells) + f" | {foretold:.0f} / {took:.0f} | "
                     f"{100 * (foretold / took - 1):+.0f} % | {size} | {one['dvc']:.0f} |")
    return "\n".join(lines)


def main(words: list[str]) -> None:
    found: dict[str, Any] = files.read_json_or(OUT, {}) or {}
    again, names = words[:1] == ["told"], words[words[:1] == ["told"]:]
    for name in names or list(SETS):
        sets = found.get("sets", {})
        sets = sets | {name: renewed(sets[name], name) if again else measure(name)}
        found = {"command": "python -m benchmarks.forecast", "machine": machine(),
                 "sets": {key: sets[key] for key in SETS if key in sets}}
        files.write(OUT, json.dumps(found, indent=1) + "\n")
        print(table(found), flush=True)
    files.write(PAGE, filled(PAGE.read_text(encoding="utf-8"), "benchmarks.forecast", {"forecasts": table(found)}))


if __name__ == "__main__":
    main(sys.argv[1:])
