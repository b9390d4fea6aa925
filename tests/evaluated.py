"""What `evaluate` leaves of a strategy where little was found out, for tests that say the rest."""

from __future__ import annotations

from typing import Any

from trivium.evaluation.metrics import Evaluation, Seed
from trivium.tasks.classification import Classification

TASK = Classification(["ash", "beech"]).plain()


def analyses(**more: Any) -> dict[str, Any]:
    """Of one seed, nothing in any of them."""
    return {
        "contribution": {"score": {}, "log_probability": {}, "parts": {}, "subsets": {}},
        "robustness": {"corruption": {}, "misalignment": {}, "shift": {}, "attacks": {}},
        "probes": {}, "attribution": {"deletion": {}, "samples": []}, "rows": {"probes": {}},
    } | more


def training(**more: Any) -> dict[str, Any]:
    """Of one seed, 1 FLOP."""
    return {"flops": {"budget": 1.0, "pretrain": 0.0, "train": 1.0, "total": 1.0},
            "parameters": {"total": 1, "trained": 1}, "validation": {"nll": 1.0, "score": 0.5},
            "calibration": 1.0} | more


def seed(**more: Any) -> Seed:
    return Seed.model_validate({"seed": 0, "n": 10, "n_train": 20, "task": TASK, "metrics": {}, "subsets": {},
                                "table": {}, "training": training()} | analyses(**more))


def evaluation(*seeds: Seed, **more: Any) -> Evaluation:
    recipe = {"objectives": [], "encoders": {}, "published": [], "external": ""}
    return Evaluation.model_validate({
        "entry": "one", "title": "One", "strategy": "joint", "start": "scratch", "recipe": recipe, "task": TASK,
        "streams": ["text"], "seeds": list(seeds)} | more)
