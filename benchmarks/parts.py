"""What the tables of parts share: their speed, what their files say of them, and a page with places to fill."""

from __future__ import annotations

import importlib
import json
import re
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.machine import machine
from trivium.machine import files

BATCH = 64
DEAR = 1.3  # times its FLOPs' share in seconds: from there on a part is called dearer than its FLOPs say
ROUNDS, SECONDS = 5, 0.3  # parts take turns, so that a drift of the machine's speed hits all


def speeds(passes: Mapping[str, Callable[[], Tensor]], rounds: int = ROUNDS, seconds: float = SECONDS,
           ) -> dict[str, float]:
    """Samples per second of one core's time, forward and backward. passes: forward, of `BATCH` samples each."""
    found: dict[str, list[float]] = {name: [] for name in passes}
    for _ in range(rounds):
        for name, forward in passes.items():
            found[name].append(_rate(forward, seconds))
    return {name: statistics.median(rates) for name, rates in found.items()}


def against(passes: Mapping[str, Callable[[], Tensor]], base: Callable[[], Tensor], rounds: int = ROUNDS,
            seconds: float = SECONDS) -> dict[str, tuple[float, float]]:
    """Samples per second as `speeds` has them, and seconds in those of `base`, which is timed anew right after each."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in passes}
    for _ in range(rounds):
        for name, forward in passes.items():
            rate = _rate(forward, seconds)
            found[name].append((rate, _rate(base, seconds) / rate))
    return {name: (statistics.median(rate for rate, _ in each), statistics.median(spent for _, spent in each))
            for name, each in found.items()}


def _rate(forward: Callable[[], Tensor], seconds: float) -> float:
    count, started = -3, time.process_time()  # what others do on the machine is not in it
    while count < 1 or time.process_time() - started < seconds:
        forward().sum().backward()
        count += 1
        if count == 0:  # three to warm up
            started = time.process_time()
    return count * BATCH / (time.process_time() - started)


def dearer(costs: Mapping[str, Mapping[str, Any]], base: str) -> str:
    """Who takes more seconds than its FLOPs' share, both in those of `base`. costs: with `pace` of each."""
    paces = {name: one["pace"] for name, one in sorted(costs.items(), key=lambda pair: -pair[1]["pace"])}
    above = [f"`{name}` ({pace:.2f})" for name, pace in paces.items() if pace > DEAR]
    if above:
        return f"more than {DEAR} times the seconds per FLOP of {base} take {', '.join(above)}"
    most = next(iter(paces))
    return f"nobody takes more than {DEAR} times the seconds per FLOP of {base}; most has `{most}` ({paces[most]:.2f})"


def idea_and_source(module: str) -> tuple[str, str]:
    """The first sentence of a file's docstring, and where it says that its idea is from, with links."""
    words = " ".join((importlib.import_module(module).__doc__ or "").split())
    source = re.search(r"Source: (.+)\.$", words)
    link = re.sub(r"arXiv (\d{4}\.\d+)", r"[arXiv \1](https://arxiv.org/abs/\1)", source[1]) if source else "–"
    return words.split(". ")[0].rstrip("."), link


def filled(page: str, maker: str, tables: Mapping[str, str]) -> str:
    """`page` with the tables in their places: behind `<!-- NAME, made by MAKER -->`, up to `<!-- end -->`."""
    for what, made in tables.items():
        page = re.sub(rf"(<!-- {what}, made by {re.escape(maker)} -->\n).*?(?=\n<!-- end -->)",
                      lambda place, made=made: place[1] + made, page, flags=re.S)
    return page


def measured(words: list[str], results: Path, measure: Callable[[], dict[str, Any]],
             renew: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> dict[str, Any]:
    """What is in `results`, measured now unless `words` of the command line say `page`; with other words, only what
    `renew` makes new of the results that are there.
    """
    if words != ["page"]:
        torch.set_num_threads(1)
        started = time.process_time()
        if words and renew is not None:
            found = renew(json.loads(results.read_text(encoding="utf-8")))
            about = {"machine": machine(), "core_seconds": round(time.process_time() - started)}
            words = ["python -m", f"benchmarks.{results.stem}", *words]
            found |= {f"{words[2]}_renewed": about | {"command": " ".join(words)}}
        else:
            found = measure() | {"machine": machine(), "command": f"python -m benchmarks.{results.stem}"}
            found["core_seconds"] = round(time.process_time() - started)
        files.write(results, json.dumps(found, indent=1, sort_keys=True) + "\n")
    return dict(json.loads(results.read_text(encoding="utf-8")))
