"""`make real`: the comparison at its default settings on public real data, held against scikit-learn.

    python -m benchmarks.real            six sets: classes, tags (fontawesome) and numbers (loans)
    python -m benchmarks.real drums      some of them; the results of the others stay
    python -m benchmarks.real tabler     the largest set of classes, which takes as long as the other four

Each set is built from a package registry (see its file), and the pipeline runs on it in a copy of this repository,
below `.cache/real`. What came out goes to `benchmarks/results/real.json` and to the table in `docs/real-data.md`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from trivium.comparison.out import PATH, Comparison
from trivium.data import tables
from trivium.machine import files
from trivium.machine.files import read_json_or
from trivium.machine.measured import Measured
from trivium.tasks.metric import Metric

SETS, LARGE = ("openclipart", "tuxpaint", "drums", "plaid", "fontawesome", "loans"), ("tabler",)
ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".cache/real"
RESULTS, PAGE = ROOT / "benchmarks/results/real.json", ROOT / "docs/real-data.md"
MARK = "<!-- the table that `make real` makes -->"


def build(name: str) -> Path:
    """The manifest of a set, built where it is not there yet."""
    manifest = HOME / "sets" / name / "manifest.csv"
    if not manifest.exists():
        words = [sys.executable, "-m", f"benchmarks.real.{name}", str(HOME / "sources"), str(manifest.parent)]
        if subprocess.run(words, cwd=ROOT).returncode:
            sys.exit(1)  # its own words say why
    return manifest


def compare(name: str, manifest: Path) -> Path:
    """Run the whole pipeline on `manifest` in a copy of this repository; returns the copy."""
    copy = HOME / "runs" / name
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for path in filter(None, listed.split("\0")):
        if path != "dvc.lock" and not path.startswith("reports/") and (ROOT / path).exists():
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, copy / path)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                                "PYTHONPATH": str(copy / "src"), "DVC_NO_ANALYTICS": "1", "HF_HUB_OFFLINE": "1"}
    for words in (["git", "init", "--quiet"], [sys.executable, "-m", "trivium.cli", "use", str(manifest)],
                  [sys.executable, "-m", "dvc", "repro"]):
        if subprocess.run(words, cwd=copy, env=environment).returncode:
            sys.exit(f"`{' '.join(words)}` failed in {copy}; its words are above.")
    return copy


def result(copy: Path) -> dict[str, Any]:
    """What `copy` found, in few numbers. Scores are of the metric that ranks; others: those that stand beside it;
    seconds: the recipe's and training's.
    """
    found = Comparison.read(copy / PATH)
    rows = tables.read(copy / "data/aligned/samples.parquet").num_rows
    strategies = {}
    for name, one in found.strategies.items():
        spent = [Measured.of(stage, copy).seconds or 0.0 for stage in (f"pretrain@{one.start}", f"train@{name}")]
        span = one.metrics[found.metric]
        strategies[name] = {"title": one.title, "score": span.mean, "low": span.low, "high": span.high,
                            "seconds": sum(spent), "others": {key: one.metrics[key].mean for key in found.beside}}
    return {"rows": rows, "task": found.dataset.task, "outputs": found.dataset.outputs,
            "constant": found.constant.metrics[found.metric], "metric": found.ranks.plain(),
            "recommended": found.verdict.recommended, "strategies": strategies, "sentence": found.verdict.sentence}


def agreement(copy: Path, manifest: Path) -> dict[str, float]:
    """The mean of the metric that ranks of `reference`, and of the same method written with scikit-learn, on the same
    splits. Of numbers, `boosting`: gradient boosting on the table alone.
    """
    from benchmarks.real import baseline, targets

    splits = tables.read(copy / "data/splits/splits.parquet")
    seeds = [name for name in splits.column_names if name.startswith("seed_")]
    samples = splits["sample"].to_pylist()
    drawn = [{part: [s for s, of in zip(samples, splits[seed].to_pylist(), strict=True) if of == part]
              for part in ("train", "val", "test")} for seed in seeds]
    found = Comparison.read(copy / PATH)
    metric, kind = found.metric, found.dataset.task
    scores = {"scikit_learn": baseline.score(manifest, drawn)} if kind == "classification" else targets.score(
        manifest, drawn, kind, metric)
    return {"reference": found.strategies["reference"].metrics[metric].mean} | {
        name: sum(values) / len(values) for name, values in scores.items()}


def page(known: dict[str, Any]) -> str:
    """The table of docs/real-data.md: one line per set."""
    columns = ("set", "rows, outputs, metric", "constant", "simple features", "linear probe", "best from scratch",
               "best", "recommended", "scikit-learn")
    lines = [MARK, "", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for name, one in known["sets"].items():
        found = one["strategies"]
        metric = Metric.of(one["metric"])
        scratch = [key for key in found if key not in ("reference", "published_linear", "boosted")]
        ranked = sorted(found, key=lambda key: -metric.upward(found[key]["score"]))
        best, top = ranked[0], next(key for key in ranked if key in scratch)

        def cell(key: str, found: dict[str, Any] = found, metric: Metric = metric) -> str:
            if key not in found:
                return "–"
            return f"{metric.number(found[key]['score'])} ({found[key]['seconds']:.0f} s)"

        taken = found[one["recommended"]]["title"] if one["recommended"] else "nothing"
        theirs = one.get("agreement", {}).get("scikit_learn")
        cells = [name, f"{one['rows']:,}, {one['outputs']}, {metric.words}", metric.number(one["constant"]),
                 cell("reference"),
                 cell("published_linear"), f"{found[top]['title']}: {cell(top)}",
                 f"{found[best]['title']}: {cell(best)}", taken, metric.number(theirs) if theirs else "–"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(names: list[str]) -> None:
    for name in names or SETS:
        if name not in SETS + LARGE:
            sys.exit(f"There is no set `{name}`; known: {', '.join(SETS + LARGE)}.")
        manifest = build(name)
        copy = compare(name, manifest)
        known = read_json_or(RESULTS, {"sets": {}})
        known["sets"][name] = result(copy) | {"agreement": agreement(copy, manifest)}
        known |= {"machine": machine(), "command": "make real"}
        files.write(RESULTS, json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        before = PAGE.read_text(encoding="utf-8").partition(MARK)[0] if PAGE.exists() else ""
        files.write(PAGE, before + page(known))
        print(f"{name}: {known['sets'][name]['sentence']}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
