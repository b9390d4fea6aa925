"""A whole `comparison.json` from the parts of it that a test is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trivium.tasks import Task
from trivium.tasks.classification import Classification

READ_BY = {"text": "words", "image": "patches", "audio": "bands"}  # stream -> entry of `encoder`


def full(parts: Mapping[str, Any], task: Task | None = None) -> dict[str, Any]:
    """`parts` with all that is missing in them, plain and the same for all strategies."""
    task = task or Classification(["a", "b", "c"])
    metrics = {key: one.plain() for key, one in task.metrics.items()}
    entries = {name: strategy(name, rank, metrics) | {
        key: value if key != "metrics" else strategy(name, rank, metrics)["metrics"] | value
        for key, value in entry.items()} for rank, (name, entry) in enumerate(parts.get("strategies", {}).items(), 1)}
    verdict = {"learned": True, "tied": list(entries), "behind": [], "simple": False, "sentence": "So it is.",
               "reason": ""}
    constant = parts.get("constant", {})
    found = {
        "metric": task.primary, "metrics": metrics, "beside": list(task.beside), "score": task.shown.plain(),
        "skipped": {}, **parts,
        "dataset": {"title": "Digits", "source": "digits", "task": task.name, "outputs": task.outputs,
                    "streams": list(READ_BY), "train": 60.0, "test": 42.0, "groups": 42, "test_groups": 42.0,
                    "resampled": True} | parts.get("dataset", {}),
        "settings": {"seeds": 2, "split": "holdout", "bootstrap": 2000, "confidence": 0.95, "threshold": 0.75,
                     "metric": "auto", "reference": ""} | parts.get("settings", {}),
        "constant": {"label": constant.get("label", "a"),
                     "metrics": dict.fromkeys(metrics, 0.1) | constant.get("metrics", {})},
        "strategies": entries,
        "pairs": [pair() | one for one in parts.get("pairs", [])],
        "verdict": verdict | parts.get("verdict", {}),
    }
    return found


def strategy(name: str, rank: int, metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": name, "strategy": name, "start": "supervised", "rank": rank,
            "recipe": {"objectives": ["supervised"], "encoders": READ_BY, "published": [], "external": ""},
            "metrics": dict.fromkeys(metrics, span(0.5)), "seeds": {}, "learned": True, "failed_share": 0.0,
            "gain": {"mean": 0.4, "low": 0.3, "high": 0.5, "p": 0.001, "p_holm": 0.002}, "flops": 1e9,
            "over_budget": 1.0, "parameters": {"total": 1000.0, "trained": 100.0}}


def pair() -> dict[str, Any]:
    return {"difference": 0.1, "low": 0.05, "high": 0.15, "p_outperform": 0.9, "p_outperform_low": 0.7,
            "p_outperform_high": 1.0, "p_value": 0.01, "p_value_holm": 0.02, "mcnemar_p": 0.001, "mcnemar_p_seeds": {},
            "beats": False, "verdict": "open"}


def span(mean: float, half: float = 0.02) -> dict[str, float]:
    return {"mean": mean, "low": mean - half, "high": mean + half, "sd": 0.01}
