"""How fast whole stages are, as people start them: for `benchmarks.speed`."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trivium.machine.measured import PLACE, Measured

ROOT = Path(__file__).resolve().parent.parent


def pipeline(waits: Callable[[Any], dict[str, float]]) -> dict[str, Any]:
    """Seconds of the default pipeline in a clone with an empty cache, again unchanged, and with one strategy changed;
    and how long training on its features waits for data.

    waits: measures the latter on a store. The clone is `.cache/bench`; it stays there to be looked at.
    """
    from trivium.data.store import Store

    clone = ROOT / ".cache/bench"
    shutil.rmtree(clone, ignore_errors=True)
    copy(clone)
    first, stages = _repro(clone)
    measured = {path.stem: Measured.of(path.stem, clone).seconds
                for path in sorted((clone / PLACE).glob("*.json")) if "system" not in path.stem}
    shares = waits(Store("scratch", clone))
    again, _ = _repro(clone)
    params = (clone / "params.yaml").read_text()
    assert "finetune_lr: 0.003" in params
    (clone / "params.yaml").write_text(params.replace("finetune_lr: 0.003", "finetune_lr: 0.002"))
    changed, ran = _repro(clone)
    return {"repro_seconds": first, "stages": len(stages), "seconds_per_stage": measured, "unchanged_seconds": again,
            "data_wait_share": shares, "one_strategy_changed": {"seconds": changed, "stages_run": ran}}


def copy(clone: Path) -> None:
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).exists():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    subprocess.run(["git", "init", "--quiet"], cwd=clone, check=True)


def _repro(clone: Path, *targets: str) -> tuple[float, list[str]]:
    started = time.perf_counter()
    done = subprocess.run(["dvc", "repro", *targets], cwd=clone, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"dvc repro failed:\n{done.stdout}\n{done.stderr}")
    return seconds, [line.split("'")[1] for line in done.stdout.splitlines() if line.startswith("Running stage")]


def published(samples: int = 4000) -> dict[str, Any]:
    """Seconds of the stages `pretrain@published` and `train@published_linear` on the default sort of data, from an
    empty cache: every text, image and sound through its published encoder, and the probes of all seeds.
    """
    from ruamel.yaml import YAML

    clone = ROOT / ".cache/bench-published"
    shutil.rmtree(clone, ignore_errors=True)
    copy(clone)
    yaml = YAML()
    params = yaml.load(clone / "params.yaml")
    params["data"]["digits"]["samples"] = samples
    yaml.dump(params, clone / "params.yaml")
    _repro(clone, "train@published_linear")
    names = ("pretrain@published", "train@published_linear")
    seconds = [Measured.of(name, clone).seconds or 0.0 for name in names]
    return {"samples": samples, "seconds": sum(seconds), "seconds_per_stage": dict(zip(names, seconds, strict=True))}


def fixed() -> dict[str, float]:
    """Seconds that a stage costs when there is next to nothing to do: the whole command on 200 tiny samples.

    Every training lasts a few epochs of 100 samples. `compare` writes all strategies' runs to MLflow, `compare again`
    finds them there.
    Medians of three rounds. The code is compiled, as after any first run.
    """
    import compileall
    import os

    from ruamel.yaml import YAML

    clone = ROOT / ".cache/bench-fixed"
    shutil.rmtree(clone, ignore_errors=True)
    copy(clone)
    compileall.compile_dir(clone, quiet=1)
    yaml = YAML()
    params = yaml.load(clone / "params.yaml")
    params["seeds"], params["data"]["source"], params["data"]["symbols"]["samples"] = 2, "symbols", 200
    params["budget"]["epochs"] = 4
    for name in ("words", "patches", "bands"):
        params["encoder"][name] |= {"width": 8, "depth": 1}
    slow = [name for name, entry in params["train"].items() if entry["start"] == "published"]
    for name in slow:  # its cost is that of the encoders
        del params["train"][name]
    del params["pretrain"]["published"]
    params["evaluate"]["analysis_rows"], params["compare"]["bootstrap"] = 32, 100
    yaml.dump(params, clone / "params.yaml")
    names = [["ingest"], ["validate"], ["align"], ["split"], ["preprocess"], ["budget"],
             *(["pretrain", name] for name in params["pretrain"]), *(["train", name] for name in params["train"]),
             *(["evaluate", name] for name in params["train"]), ["compare"]]
    commands = {"@".join(words): words for words in names} | {"compare again": ["compare"]}
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(3):
        shutil.rmtree(clone / "mlruns", ignore_errors=True)
        for name, words in commands.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, "-m", f"pipeline.{words[0]}", *words[1:]], cwd=clone, check=True,
                           env=os.environ | {"PYTHONPATH": "src"}, capture_output=True)
            found[name].append(time.perf_counter() - started)
    return {name: round(statistics.median(seconds), 2) for name, seconds in found.items()}
