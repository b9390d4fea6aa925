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
ROUNDS, SECONDS = 5, 0.3  # parts take turns, so that a drift of the machine's speed hits all


def speeds(passes: Mapping[str, Callable[[], Tensor]], rounds: int = ROUNDS, seconds: float = SECONDS,
           ) -> dict[str, float]:
    """Samples per second of one core's time, forward and backward. passes: forward, of `BATCH` samples each."""
    found: dict[str, list[float]] = {name: [] for name in passes}
    for _ in range(rounds):
        for name, forward in passes.items():
            count, started = -3, time.process_time()  # what others do on the machine is not in it
            while count < 1 or time.process_time() - started < seconds:
                forward().sum().backward()
                count += 1
                if count == 0:  # three to warm up
                    started = time.process_time()
            found[name].append(count * BATCH / (time.process_time() - started))
    return {name: statistics.median(rates) for name, rates in found.items()}


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


def measured(words: list[str], results: Path, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What is in `results`, measured now unless `words` of the command line say `page`."""
    if words != ["page"]:
        torch.set_num_threads(1)
        started = time.process_time()
        found = measure() | {"machine": machine(), "command": f"python -m benchmarks.{results.stem}"}
        found["core_seconds"] = round(time.process_time() - started)
        files.write(results, json.dumps(found, indent=1, sort_keys=True) + "\n")
    return dict(json.loads(results.read_text(encoding="utf-8")))
