"""What `trivium look --time` foretells of small data sets of different sorts, and what `dvc repro` then takes.

    python -m benchmarks.forecast [NAME ...]

Each runs in a project of its own (`.cache/bench-forecast/NAME`), with an empty cache. What is held against each other
is computing time, of all processes together: other programs disturb it less than the clock. Adds to
`benchmarks/results/forecast.json`, and prints the table that is in docs/looking-at-data.md.
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
from trivium.machine import files

OUT = ROOT / "benchmarks/results/forecast.json"
KINDS = ("recipes", "strategies", "evaluation", "timing of answers", "comparison and report", "export")


def measure(name: str) -> dict[str, Any]:
    """By stage behind `budget`: what was foretold, and what it took."""
    home = ROOT / ".cache/bench-forecast" / name
    project(SETS[name], home)
    run: Any = {"cwd": home, "env": environment(home), "check": True}
    subprocess.run(["dvc", "repro", "--quiet", "budget"], stdout=subprocess.DEVNULL, **run)
    told = json.loads(subprocess.run([sys.executable, "-m", "benchmarks.forecast.told"], stdout=subprocess.PIPE,
                                     text=True, **run).stdout.splitlines()[-1])
    with subprocess.Popen(["dvc", "repro"], cwd=home, env=environment(home), stdout=subprocess.DEVNULL) as process:
        taken = watch(psutil.Process(process.pid))
    if process.returncode:
        sys.exit(f"dvc repro failed in {home}.")
    stages = {stage: one | {"took": round(taken[stage].computing, 2), "took_bytes": taken[stage].bytes}
              for stage, one in told.items()}
    return {"words": SETS[name].words, "stages": stages, "dvc": round(taken["dvc"].computing, 2)}


def kinds(found: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Kind of stage -> seconds of computing, foretold and taken."""
    stages = found["stages"].values()
    return {kind: (sum(one["computing"] for one in mine), sum(one["took"] for one in mine))
            for kind in KINDS if (mine := [one for one in stages if one["kind"] == kind])}


def table(found: dict[str, Any]) -> str:
    """In Markdown: a row per data set."""
    lines = ["| data | " + " | ".join(KINDS) + " | all | off by | largest stage, memory |",
             "|---|" + "---|" * (len(KINDS) + 3)]
    for one in found["sets"].values():
        each, stages = kinds(one), one["stages"]
        told, took = (sum(pair[k] for pair in each.values()) for k in (0, 1))
        cells = [f"{each[kind][0]:.0f} / {each[kind][1]:.0f}" if kind in each else "–" for kind in KINDS]
        most, really = (max(stages, key=lambda s: stages[s][key]) for key in ("bytes", "took_bytes"))
        memory = f"{stages[most]['bytes'] / 1e9:.1f} / {stages[really]['took_bytes'] / 1e9:.1f} GB"
        lines.append(f"| {one['words']} | " + " | ".join(cells) + f" | {told:.0f} / {took:.0f} | "
                     f"{100 * (told / took - 1):+.0f} % | {memory} |")
    return "\n".join(lines)


def main(names: list[str]) -> None:
    found: dict[str, Any] = files.read_json_or(OUT, {}) or {}
    for name in names or list(SETS):
        sets = found.get("sets", {}) | {name: measure(name)}
        found = {"command": "python -m benchmarks.forecast", "machine": machine(),
                 "sets": {key: sets[key] for key in SETS if key in sets}}
        OUT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(table(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
