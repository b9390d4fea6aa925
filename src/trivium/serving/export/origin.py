"""Where a model comes from, for its card: what it cost on the machine that trained it, whose data and weights are in
it, and how to make it again.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from trivium.comparison.latency import measured
from trivium.data.meta import Meta
from trivium.data.tables import read_yaml
from trivium.drawing import numbers
from trivium.encoders.published import adapter
from trivium.machine.measured import Measured
from trivium.machine.packages import PREFIX
from trivium.runtime.folder import GRAPH, INT8
from trivium.training.records import Trained

CODE = ("src", "pipeline", "params.yaml", "dvc.yaml", "requirements.txt")  # what outs depend on besides data
DATA = {  # licences by source, as data/README.md has them
    "digits": "images CC BY 4.0 (UCI optical digits, E. Alpaydin and C. Kaynak, 1998); sounds and texts are made by "
              "this project, Apache-2.0",
    "stamps": "GPL-2 (the Debian package tuxpaint-stamps-default)",
    **dict.fromkeys(("symbols", "cells", "waves"), "made by this project, Apache-2.0"),
}


def cost(root: Path, trained: Trained, here: bool) -> list[str]:
    """What was measured; nothing where it was not. here: see `write.write`"""
    if not here:
        return ["Seconds and energy are of the machine that trained it: its `reports/report.html` says them, and so "
                f"does the card that `trivium export {trained.entry}` writes there."]
    lines = list[str]()
    for stage, what in ((f"pretrain@{trained.start}", "the components, which other strategies may share"),
                        (f"train@{trained.entry}", "the strategy, all seeds")):
        found = Measured.of(stage, root)
        if found.seconds is not None:
            energy = f", {numbers.scaled(found.joules, 'J')}" if found.joules is not None else ""
            lines.append(f"- {what[0].upper()}{what[1:]}: {numbers.seconds(found.seconds)}{energy}.")
    known = [Measured.of(stage, root).joules for stage in (f"pretrain@{trained.start}", f"train@{trained.entry}")]
    if lines and None in known:
        lines.append("- Energy: not measured, since the machine did not tell all of it.")
    return lines


def speed(root: Path, strategy: str, here: bool) -> list[str]:
    """A table of milliseconds; nothing where nothing was timed. here: see `write.write`"""
    if not here:
        return [f"That is of a machine, too: `trivium export {strategy}` writes it."]
    found = measured(root).get(strategy)
    if found is None:
        return []
    lines = ["From processed inputs to the answer, in milliseconds, on the machine that exported it:", "",
             "| graph | rows | threads | median | 95 of 100 | 99 of 100 |", "|---|--:|--:|--:|--:|--:|"]
    for name, times in ((GRAPH, found.times), (INT8, found.small)):
        lines += [f"| `{name}` | {one.rows} | {one.threads} | {_ms(one.p50_ms)} | {_ms(one.p95_ms)} | "
                  f"{_ms(one.p99_ms)} |" for one in times]
    return [*lines, "", f"The first answer of a process came after {numbers.seconds(found.start_seconds)}, and it held "
                        f"{numbers.memory(found.peak_memory_bytes)}."]


def _ms(value: float | None) -> str:
    return numbers.NONE if value is None else f"{value:.3g}"


def licences(about: Mapping[str, Any], meta: Meta) -> list[str]:
    """about: `model.json` of the model."""
    data = DATA.get(meta.source, "not on record here; whoever gave the data knows it")
    lines = ["- Code: Apache-2.0.", f"- Data: {data}."]
    for s, encoder in about["encoders"].items():
        if weights := encoder["weights"]:
            lines.append(f"- Weights of {s}, `{weights}`: {_licence(weights)}.")
    return lines


def _licence(weights: str) -> str:
    if part := adapter(weights):
        return str(part.LICENCE)
    name = weights.removeprefix(PREFIX)
    if name == weights:
        return "not on record here; the page of the model says it"
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return "not on record here; the package says it"
    said = found["License-Expression"] or found["License"]
    return f"{said}, as its package says" if said else "its package does not say"


def again(root: Path, strategy: str, here: bool) -> list[str]:
    """The commit, what DVC calls data and models, and the commands. here: see `write.write`"""
    lines, code = list[str](), commit(root) if here else {}
    if code:
        lines.append(f"- Code and settings: commit {code['commit']}"
                     + (", and changes that are not committed." if code["changed"] else "."))
    stages = read_yaml(root / "dvc.lock").get("stages") or {}
    outs = {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs") or [] if "md5" in out}
    lines += [f"- `{path}` in dvc.lock: {outs[path]}" for path in ("data/raw", "data/features", f"models/{strategy}")
              if path in outs]
    if not here and f"models/{strategy}" in outs:
        lines.append(f"- The commit that holds them: `git log -S {outs[f'models/{strategy}']} --format=%H -- dvc.lock` "
                     "names it last.")
    checkout = f"git checkout {code['commit']} && " if code and not code["changed"] else ""
    return [*lines, "", "```sh", f"{checkout}make repro && .venv/bin/trivium export {strategy}", "```"]


def commit(root: Path) -> dict[str, Any]:
    """The last commit that changed code or settings, so that the same code gives the same card, and whether they have
    changed since; empty without git.
    """
    def git(*words: str) -> str:
        return subprocess.run(("git", "-C", str(root), *words), capture_output=True, text=True, check=True,
                              timeout=30).stdout.strip()

    try:
        last = git("log", "-1", "--format=%H", "--", *CODE)
        return {"commit": last, "changed": bool(git("status", "--porcelain", "--untracked-files=no", "--", *CODE))
                } if last else {}
    except (OSError, subprocess.SubprocessError):
        return {}
