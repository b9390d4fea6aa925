"""Strategies that train encoders jointly, in worlds with a known answer: whom does it help to what?

    python -m benchmarks.strategies [WORLD ...]   all stages on each world; fills the table of docs/strategies.md
    python -m benchmarks.strategies page          fills the table from the results that are there

Worlds, samples, epochs and seeds are those of `benchmarks.evidence.worlds`. Nothing is tuned: every strategy has the
settings that it comes with. Writes benchmarks/results/strategies.json.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.evidence import worlds
from benchmarks.machine import machine
from trivium.comparison.out import PATH, Comparison
from trivium.machine import files

RESULTS = worlds.ROOT / "benchmarks/results/strategies.json"
PAGE = worlds.ROOT / "docs/strategies.md"
WORLDS = ("redundant", "dominant", "unique", "synergy")
JOINT = "end_to_end"  # of params.yaml: what the others are held against
THERE = (JOINT, "ensemble", "supervised_lpft", "selfsup_finetune")  # entries of params.yaml
MORE = {  # beside them
    "unimodal_losses": {"start": "scratch", "strategy": "unimodal_losses", "fusion": "concat", "lr": 0.003},
    "modality_dropout": {"start": "scratch", "strategy": "modality_dropout", "fusion": "concat", "lr": 0.003},
    "dgl": {"start": "scratch", "strategy": "dgl", "fusion": "concat", "lr": 0.003},
    "distil": {"start": "supervised", "strategy": "distil", "fusion": "concat", "lr": 0.003},
}


def measure(world: str) -> dict[str, Any]:
    """Per strategy its mean accuracy, the interval, and whether it is surely better or worse than `JOINT`."""
    from ruamel.yaml import YAML

    yaml, wanted = YAML(), worlds.WORLDS[world]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        worlds.settings(folder, world, wanted, THERE)
        params = yaml.load(folder / "params.yaml")
        params["train"] |= MORE
        yaml.dump(params, folder / "params.yaml")
        worlds.stages(folder)
        found = Comparison.read(folder / PATH)
    against = {pair.a if pair.b == JOINT else pair.b: ("better" if pair.b == JOINT else "worse") if pair.beats else ""
               for pair in found.pairs if JOINT in (pair.a, pair.b)}
    spans = {name: one.metrics["accuracy"] for name, one in found.strategies.items()}
    known = found.dataset.world
    return {"train": wanted.train, "epochs": wanted.epochs, "seeds": wanted.seeds,
            "ceiling": known.bayes["all"] if known else None, "chance": 1 / found.dataset.outputs,
            "strategies": {name: {"title": found.strategies[name].title, "mean": one.mean, "low": one.low,
                                  "high": one.high, "against": against.get(name, "")} for name, one in spans.items()}}


def table(found: Mapping[str, Any]) -> str:
    """A line per strategy, `JOINT` first."""
    names = list(dict.fromkeys([JOINT, *(name for one in found.values() for name in one["strategies"])]))
    heads, ceilings = (f"*{world}*" for world in found), (f"{100 * one['ceiling']:.1f}" for one in found.values())
    lines = [f"| strategy | {' | '.join(heads)} |", f"|---|{'---|' * len(found)}",
             f"| ceiling | {' | '.join(ceilings)} |"]
    for name in names:
        cells = [_cell(one["strategies"][name]) for one in found.values()]
        title = next(iter(found.values()))["strategies"][name]["title"]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(one: Mapping[str, Any]) -> str:
    text = f"{100 * one['mean']:.1f} ({100 * one['low']:.1f} to {100 * one['high']:.1f})"
    return {"better": f"**{text}** ▲", "worse": f"{text} ▼"}.get(one["against"], text)


def filled(page: str, found: Mapping[str, Any]) -> str:
    """`page` with the table in its place."""
    return re.sub(r"(<!-- made by benchmarks\.strategies -->\n).*?(?=\n<!-- end -->)",
                  lambda place: place[1] + table(found), page, flags=re.S)


def main(words: list[str]) -> None:
    if words != ["page"]:
        known = files.read_json_or(RESULTS, {"worlds": {}})
        for world in words or WORLDS:
            known["worlds"][world] = measure(world)
            known |= {"machine": machine(), "command": "python -m benchmarks.strategies"}
            files.write(RESULTS, json.dumps(known, indent=1, sort_keys=True) + "\n")
            print(f"{world}: {known['worlds'][world]['strategies']}", flush=True)
    found = json.loads(RESULTS.read_text(encoding="utf-8"))["worlds"]
    ordered = {world: found[world] for world in WORLDS if world in found}
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), ordered), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
