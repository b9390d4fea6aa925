"""What the analyses of single models say when all strategies are looked at together.

An analysis that a strategy lacks at some seed was not paid for there: the strategy is left out of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from trivium.comparison import (
    attribution,
    counterfactual,
    information,
    laziness,
    reads,
    recipes,
    robustness,
    similarity,
)
from trivium.comparison.attribution import Attribution
from trivium.comparison.counterfactual import Counterfactual
from trivium.comparison.information import Information
from trivium.comparison.laziness import Laziness
from trivium.comparison.outcomes import Evaluated
from trivium.comparison.robustness import Robustness
from trivium.comparison.similarity import Ensemble, Similarity
from trivium.data.out import Part
from trivium.evaluation import predictions

ALONE = ("ensemble", "unimodal")  # strategies whose encoders were trained alone, for as long as the budget lasts


class Across(Part):
    """Each is None where nothing is known of it."""

    information: Information | None = None
    robustness: Robustness | None = None
    laziness: Laziness | None = None
    similarity: Similarity | None = None
    attribution: Attribution | None = None
    counterfactual: Counterfactual | None = None


def across(found: Evaluated, folder: Path, recommended: str | None, confidence: float = 0.95) -> Across:
    """`folder`: where `found` was read from;  confidence: of intervals."""
    about = found.metrics
    titles = {name: one.title for name, one in about.items()}
    readers = {name: one.recipe.encoders for name, one in about.items()}
    streams = list(dict.fromkeys(s for one in about.values() for s in one.streams))
    late_fusion = next((name for name, one in about.items() if recipes.from_scratch(one)), None)
    parts = dict[str, Part | None]()
    bits = {name: [seed.information for seed in one.seeds if seed.information] for name, one in about.items()}
    if known := {name: seeds for name, seeds in bits.items() if len(seeds) == len(about[name].seeds)}:
        parts["information"] = information.summary(
            known, streams, readers, {name: reads.read(one) for name, one in about.items()})
    broken = {name: [seed.robustness for seed in one.seeds] for name, one in about.items()}
    parts["robustness"] = robustness.summary(broken, late_fusion, recommended, titles, found.task.shown)
    every = {name: [seed.probes for seed in one.seeds] for name, one in about.items()}
    if probes := {name: seeds for name, seeds in every.items() if all(seeds)}:
        alone = {name: one.recipe.encoders for name, one in about.items()
                 if one.strategy in ALONE and "supervised" in one.recipe.objectives}
        still = {name for name, one in about.items() if one.strategy in recipes.STILL}
        parts["laziness"] = laziness.summary(probes, alone, readers, titles, found.task.shown, still,
                                              _probed(found, streams))
    if len(about) > 1 or _vectors(found, folder):
        parts["similarity"] = _similarity(found, folder, streams, titles)
    parts["attribution"] = attribution.summary({name: [seed.attribution for seed in one.seeds]
                                                for name, one in about.items()}, confidence)
    parts["counterfactual"] = counterfactual.summary(
        {name: [seed.counterfactual for seed in one.seeds] for name, one in about.items()}, recommended, titles,
        found.task.categorical, confidence)
    return Across.model_validate(parts)


def _probed(found: Evaluated, streams: list[str]) -> dict[str, int]:
    """Stream -> test samples of all seeds that a probe was asked about, the fewest of any strategy that has one."""
    each = {s: [sum(seed.rows["probes"].get(s, 0) for seed in about.seeds) for about in found.metrics.values()]
            for s in streams}
    return {s: min(filter(None, counts)) for s, counts in each.items() if any(counts)}


def _vectors(found: Evaluated, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Of the strategies that have them at every seed."""
    from safetensors.numpy import load_file

    files = {name: [folder / name / "vectors" / f"seed_{seed}.safetensors" for seed in found.seeds]
             for name in found.outcomes}
    return {name: [load_file(path) for path in paths] for name, paths in files.items()
            if all(path.exists() for path in paths)}


def _similarity(found: Evaluated, folder: Path, streams: list[str], titles: dict[str, str]) -> Similarity:
    maps = similarity.maps(_vectors(found, folder), streams)
    wrong = {name: np.concatenate([one.correct == 0 for one in seeds if one.correct is not None])
             for name, seeds in found.outcomes.items()} if found.task.categorical else {}
    alike = similarity.least_alike(wrong)
    if alike is None:
        return Similarity(maps=maps, sentence="")
    ratio, *pair = alike
    gained = similarity.ensemble(_side_by_side(*(folder / name / "predictions.parquet" for name in pair)))
    known = len(wrong) > 2 and all(each.sum() >= similarity.ERRORS for each in wrong.values())
    least = "; no other two strategies do so less often" if known else ""
    one, other = (f"“{titles[name]}”" for name in pair)
    said = f"{one} and {other} err together {ratio:.1f} times as often as chance would have it{least}."
    both = Ensemble(members=pair, joint_errors=ratio, score=gained.score, gain=gained.gain)
    return Similarity(maps=maps, ensemble=both, sentence=said)


def _side_by_side(first: Path, second: Path) -> Iterator[similarity.Piece]:
    for (seed, a), (_, b) in zip(predictions.read(first), predictions.read(second), strict=True):
        yield seed, a["y"].to_numpy(), predictions.answers(a), predictions.answers(b)
