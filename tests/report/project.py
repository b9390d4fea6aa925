"""A small finished project, made up but consistent: media files, tables, metrics, comparison."""

from __future__ import annotations

import copy
import itertools
import json
import string
from pathlib import Path
from typing import Any

import numpy as np

from tests.comparisons import full
from tests.report.analyses import additions
from tests.report.samples import WORLD, write_samples
from tests.report.trained import BUDGET, TITLES, about, evaluate, pretrain, save, train
from trivium.comparison.budgets import VARIANTS, Variant, gather
from trivium.comparison.out import PATH, Comparison

STRATEGIES = {  # name -> skill
    "end_to_end": 2.2,
    "unimodal": 3.0,
    "ensemble": 3.5,
    "supervised_frozen": 3.3,
    "supervised_lpft": 3.4,
    "selfsup_finetune": 2.3,
}


def build(
    root: Path,
    samples: int = 120,
    seeds: int = 3,
    classes: list[str] | None = None,
    evil: str = "",
    strategies: dict[str, float] | None = None,
    extras: bool = False,
    files: int = 1000,
    **verdict: Any,
) -> Path:
    """`evil` is put into every text, label and title; `extras` adds the sections that later stages feed; `files`:
    media files of each kind, which samples share;  `verdict`: other values for its keys.
    """
    classes = sorted(f"{label}{evil}" for label in classes or list(string.digits))
    strategies = strategies or STRATEGIES
    rng = np.random.default_rng([7, samples, seeds])
    y = rng.integers(len(classes), size=samples)
    write_samples(root, y, classes, evil, files)
    tests = [np.sort(rng.permutation(samples)[: samples * 35 // 100]) for _ in range(seeds)]
    found = {name: evaluate(root, name, skill, y, tests, classes, extras) for name, skill in strategies.items()}
    for name in strategies:
        train(root, name, found[name])
    compare(root, found, evil, extras, verdict)
    measured: dict[str, Any] = {
        f"train@{name}": {
            "seconds": 60.0 + 5 * k,
            "peak_memory_bytes": 6e8,
            "seeds": [20.0 + k] * seeds,
        }
        for k, name in enumerate(strategies)
    }
    for k, name in enumerate(strategies):
        times = {"latency_p50_seconds": 0.0021 + 1e-4 * k, "latency_p95_seconds": 0.0031, "samples_per_second": 2400.0,
                 "parameters": 171_234, "device": "cpu"}
        measured[f"evaluate@{name}"] = {"seconds": 9.0, "inference": times | {"joules_per_sample": None}}
    for stage, values in measured.items():
        save(values, root / f"reports/measured/{stage}.json")
    pretrain(root, seeds)
    outs = [{"path": "data/raw", "md5": "0123456789abcdef0123456789abcdef.dir"}]
    (root / "dvc.lock").write_text(json.dumps({"stages": {"ingest": {"outs": outs}}}))
    return root


def compare(root: Path, found: dict[str, Any], evil: str, extras: bool, changed: dict[str, Any]) -> None:
    entries: dict[str, Any] = {}
    for number, (name, evaluation) in enumerate(found.items()):
        keys = evaluation["seeds"][0]["metrics"]
        values = {key: np.array([seed["metrics"][key] for seed in evaluation["seeds"]]) for key in keys}
        told = {key: value for key, value in about(name).items() if key != "entry"}
        chosen = {str(seed["seed"]): seed["training"].get("chosen") for seed in evaluation["seeds"]}
        entries[name] = told | {
            "metrics": {key: interval(value) for key, value in values.items()},
            "one_class": 0.2,
            **({"chosen": chosen} if all(chosen.values()) else {}),
            "failed_share": 0.2 if name == "end_to_end" else 0.0,
            "flops": BUDGET * (0.95 if number in (1, 2) else 1.0),
            "parameters": {"total": 171_234.0 if name != "unimodal" else 57_000.0, "trained": 57_000.0},
            "seeds": {str(seed["seed"]): seed["metrics"] for seed in evaluation["seeds"]},
        }

    def reached(name: str) -> float:
        return entries[name]["metrics"]["accuracy"]["mean"]

    order = sorted(entries, key=lambda name: -reached(name))
    for rank, name in enumerate(order, 1):
        entries[name]["rank"] = rank
    pairs = []
    for a, b in itertools.combinations(order, 2):
        gap = reached(a) - reached(b)
        sure = gap > 0.03
        pairs.append(
            {"a": a, "b": b, "difference": gap, "low": gap - 0.028, "high": gap + 0.028}
            | {"p_outperform": float(np.clip(0.5 + 12 * gap, 0.01, 0.99)), "p_value_holm": 0.0004 if sure else 0.31}
            | {"mcnemar_p": 0.001 if sure else 0.4, "beats": sure, "verdict": "better" if sure else "open"}
        )
    best, worst, title = order[0], order[-1], lambda name: TITLES.get(name, name)
    gap = reached(best) - reached(worst)
    verdict = {
        "learned": True,
        "winner": None,
        "tied": order[:2],
        "behind": [],
        "recommended": best,
        "within": best,
        "simple": False,
        "sentence": f"Take “{title(best)}”. “{title(order[1])}” cannot be told apart from it, and they cost about the "
        f"same{evil}.",
        "reason": f"“{title(best)}” is ahead of “{title(worst)}” by {100 * gap:.1f} points of accuracy (95 % interval "
        f"{100 * gap - 2.8:.1f} to {100 * gap + 2.8:.1f}){evil}.",
    } | changed
    tested = float(found[best]["seeds"][0]["n"])
    comparison = full({
        "dataset": {"title": f"Digits, world dominant{evil}", "train": 60.0, "test": tested, "groups": round(tested),
                    "test_groups": tested, "world": WORLD},
        "constant": {"label": f"7{evil}", "metrics": {"accuracy": 0.14, "balanced_accuracy": 0.1, "macro_f1": 0.025,
                                                      "nll": 2.29}},
        "strategies": entries,
        "pairs": pairs,
        "verdict": verdict,
        "settings": {"seeds": len(found[best]["seeds"])},
    })
    made = Comparison.model_validate(comparison | (additions(order) if extras else {}))
    made.write(root / PATH)
    if extras:
        gather(made, {one.name: elsewhere(comparison, one) for one in VARIANTS}).write(root / "reports/curves.json")


def elsewhere(comparison: dict[str, Any], variant: Variant) -> Comparison:
    """The same comparison with less or more compute or labels."""
    changed = copy.deepcopy(comparison)
    changed["dataset"]["train"] *= variant.labels
    for entry in changed["strategies"].values():
        entry["flops"] *= variant.compute
        for end in ("mean", "low", "high"):
            entry["metrics"]["accuracy"][end] += 0.04 * np.log2(variant.compute * variant.labels)
    return Comparison.model_validate(changed)


def interval(values: np.ndarray) -> dict[str, float]:
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values)) + 0.01
    return {
        "mean": float(values.mean()),
        "low": float(values.mean() - half),
        "high": float(values.mean() + half),
        "sd": float(values.std(ddof=1)),
    }
