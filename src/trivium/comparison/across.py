"""What the analyses of single models say when all strategies are looked at together.

    information  bits of every set of modalities, pairs, sentence, training (see `information.summary`)
    robustness   curves, relative and effective robustness, sentence (see `robustness.summary`)
    laziness     probes, unlearned, sentence (see `laziness.summary`)
    similarity   maps, the ensemble of the two least alike, sentence (see `similarity`)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from trivium.comparison import information, laziness, robustness, similarity
from trivium.comparison.outcomes import Evaluated
from trivium.evaluation import predictions

ALONE = "ensemble"  # the strategy whose encoders were trained alone, for as long as the budget lasts


def across(found: Evaluated, folder: Path, recommended: str) -> dict[str, Any]:
    """These parts of comparison.json; `folder`: where `found` was read from. Empty where nothing was analysed."""
    records = {name: metrics["seeds"] for name, metrics in found.metrics.items()}
    if not all("information" in seed for seeds in records.values() for seed in seeds):
        return {}

    def of(key: str) -> dict[str, list[Any]]:
        return {name: [seed[key] for seed in seeds] for name, seeds in records.items()}

    modalities = next(iter(found.metrics.values()))["modalities"]
    late_fusion = [name for name, metrics in found.metrics.items() if metrics["start"] is None]
    return {
        "information": information.summary(of("information"), modalities),
        "robustness": robustness.summary(of("robustness"), late_fusion[0] if late_fusion else None, recommended),
        "laziness": laziness.summary(of("probes"), ALONE if ALONE in records else None),
        "similarity": _similarity(found, folder, modalities),
    }


def _similarity(found: Evaluated, folder: Path, modalities: list[str]) -> dict[str, Any]:
    from safetensors.numpy import load_file

    vectors = {name: [load_file(folder / name / "vectors" / f"seed_{seed}.safetensors") for seed in found.seeds]
               for name in found.outcomes}
    maps = similarity.maps(vectors, modalities)
    wrong = {name: np.concatenate([result.correct == 0 for result in seeds]) for name, seeds in found.outcomes.items()}
    alike = similarity.least_alike(wrong)
    if alike is None:
        return {"maps": maps, "ensemble": None, "sentence": ""}
    ratio, *pair = alike
    gained = similarity.ensemble(_side_by_side(*(folder / name / "predictions.parquet" for name in pair)))
    least = "; no other two strategies do so less often" if len(wrong) > 2 else ""
    said = f"{pair[0]} and {pair[1]} err together {ratio:.1f} times as often as chance would have it{least}."
    return {"maps": maps, "ensemble": {"members": pair, "joint_errors": ratio, **gained}, "sentence": said}


def _side_by_side(first: Path, second: Path) -> Iterator[similarity.Piece]:
    for (seed, a), (_, b) in zip(predictions.read(first), predictions.read(second), strict=True):
        yield seed, a["y"].to_numpy(), predictions.probabilities(a), predictions.probabilities(b)
