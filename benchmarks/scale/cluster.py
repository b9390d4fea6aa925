"""Stages on a Ray cluster against the same on this machine: the bytes that they leave, and how long they take.

All nodes are on this machine and share its cores and its disk, so that seconds say what the engine costs, and not what
more machines would gain.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.scale.nodes import Nodes, nodes
from benchmarks.stages import ROOT, copy

NODES = (1, 2, 4)
BEFORE = (("ingest",), ("validate",), ("align",), ("split",), ("preprocess",), ("budget",))
STAGES = (("pretrain", "supervised"), ("pretrain", "scratch"), ("train", "end_to_end"), ("train", "ensemble"),
          ("evaluate", "end_to_end"))
OUTS = ("models", "reports/evaluate")
SETTINGS: dict[str, Any] = {"seeds": 4, "samples": 1500, "epochs": 20}
TINY: dict[str, Any] = {"seeds": 4, "samples": 300, "epochs": 8}


def measure(settings: Mapping[str, Any] = SETTINGS) -> dict[str, Any]:
    """The part `ray` of scale.json. settings: of the data and of training."""
    clone = ROOT / ".cache/bench-scale"
    shutil.rmtree(clone, ignore_errors=True)
    copy(clone)
    _set(clone, settings)
    for words in BEFORE:
        _stage(clone, *words)
    local, seconds = _run(clone, settings["seeds"])
    found: dict[str, Any] = {"nodes": list(NODES), "seconds": {"this machine": seconds}}
    same = []
    for count in NODES:
        with nodes(clone / ".cache/nodes", count):
            digests, seconds = _run(clone, settings["seeds"])
        found["seconds"][f"{count} {'node' if count == 1 else 'nodes'}"] = seconds
        same.append(digests == local)
        print(f"{count} nodes: {seconds:.1f} s, same bytes: {same[-1]}", flush=True)
    with nodes(clone / ".cache/nodes", 2) as made:
        killed = threading.Event()
        thread = threading.Thread(target=_kill, args=(made, clone, killed), daemon=True)
        digests, seconds = _run(clone, settings["seeds"], thread.start)
    if not killed.is_set():
        sys.exit("No node was killed: the stages ended too early.")
    found["seconds"]["2 nodes, one killed"] = seconds
    return found | {"same_bytes": all(same), "same_bytes_after_kill": digests == local, "settings": dict(settings)}


def _set(clone: Path, settings: Mapping[str, Any]) -> None:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 10_000
    params = yaml.load(clone / "params.yaml")
    params["seeds"], params["data"]["source"] = settings["seeds"], "symbols"
    params["data"]["symbols"]["samples"], params["budget"]["epochs"] = settings["samples"], settings["epochs"]
    params["evaluate"]["analysis_rows"] = 32
    for section, kept in ("train", ("end_to_end", "ensemble")), ("pretrain", ("scratch", "supervised")):
        for name in [name for name in params[section] if name not in kept]:
            del params[section][name]
    params["compare"]["reference"] = ""
    yaml.dump(params, clone / "params.yaml")


def _run(clone: Path, seeds: int, begin: Callable[[], None] = lambda: None) -> tuple[dict[str, str], float]:
    """What the stages leave, from nothing: a digest of each file; and the seconds of all of them."""
    for name in (".cache/units", "models/pretrain", "models/end_to_end", "models/ensemble", "reports/evaluate"):
        shutil.rmtree(clone / name, ignore_errors=True)
    begin()
    started = time.perf_counter()
    for words in STAGES:
        _stage(clone, *words)
    seconds = round(time.perf_counter() - started, 1)
    files = [path for out in OUTS for path in sorted((clone / out).rglob("*")) if path.is_file()]
    return {str(path.relative_to(clone)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}, seconds


def _stage(clone: Path, *words: str) -> None:
    done = subprocess.run([sys.executable, "-m", f"pipeline.{words[0]}", *words[1:]], cwd=clone, text=True,
                          env=os.environ | {"PYTHONPATH": os.pathsep.join(["src", os.environ.get("PYTHONPATH", "")])},
                          capture_output=True)
    if done.returncode:
        sys.exit(f"{'@'.join(words)} failed:\n{done.stdout}\n{done.stderr}")


def _kill(made: Nodes, clone: Path, killed: threading.Event) -> None:
    """A node, when units of a strategy are at work."""
    while not (clone / "models/pretrain/scratch").exists() or len(list((clone / ".cache/units").glob("*.part"))) < 2:
        time.sleep(0.05)
    made.kill(1)
    killed.set()
