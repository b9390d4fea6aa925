"""Which encoder did a strategy leave unlearned? Linear probes (`trivium.evaluation.probes`) say.

An encoder inside a strategy's model is compared with the same encoder at its random start and with that modality
trained alone: joint training may stop learning a modality once another one explains the label (Huang et al. 2022).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

HALF = 0.5  # an encoder that gained less than this share of what training alone gains is unlearned
WORTH = 0.03  # accuracy that training alone must gain, or there is nothing to learn


def unlearned(probes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Modalities whose encoder gained less than `HALF` of what training alone gained, where that is worth `WORTH`.

    probes: {m: {"before", "after", "alone"}}, accuracies: of the encoder at its random start (None where the weights
    were published), inside the strategy's model, and trained alone (None where nobody trained m alone).
    """
    found = []
    for m, score in probes.items():
        before, after, alone = score["before"], score["after"], score["alone"]
        if None not in (before, after, alone) and alone - before >= WORTH and after - before < HALF * (alone - before):
            found.append(m)
    return found


def summary(measured: Mapping[str, Sequence[Mapping[str, Any]]], alone: str | None) -> dict[str, Any]:
    """Of several strategies, {strategy: [the probes of one seed]}; `alone`: the one whose encoders were trained alone.

    Returns strategies {strategy: {m: {"before", "after", "alone"}}} (means over seeds), unlearned {strategy: [m]} where
    there is any, and a sentence.
    """
    means = {name: _mean(seeds) for name, seeds in measured.items()}
    references = means.get(alone, {}) if alone else {}
    found: dict[str, dict[str, dict[str, Any]]] = {
        name: {m: {"before": None, **score, "alone": references.get(m, {}).get("after")} for m, score in scores.items()}
        for name, scores in means.items()}
    lazy = {}
    for name, scores in found.items():
        missed = [m for m in unlearned(scores) if _always_below(m, measured[name], measured[alone or ""])]
        if missed:
            lazy[name] = missed
    said = [f"{name} left {' and '.join(missed)} unlearned: a linear probe gets " + ", ".join(
        f"{found[name][m]['after']:.0%} from its {m} encoder and {found[name][m]['alone']:.0%} from one trained alone"
        for m in missed) for name, missed in lazy.items()]
    drawn = {m: score for m, score in references.items() if "before" in score}
    if not said and drawn:
        learned = [m for m, score in drawn.items() if score["after"] - score["before"] >= WORTH]
        plain = [f"{score['before']:.0%} from the {m} encoder" for m, score in drawn.items()
                 if score["before"] > 1 - WORTH]
        said = [f"No strategy left {' or '.join(learned)} unlearned" if learned else
                f"Before any training a linear probe gets {' and '.join(plain)}: there is little to learn" if plain else
                "Nothing was learned from any modality alone that a linear probe could read"]
    return {"strategies": found, "unlearned": lazy, "sentence": "; ".join(said) + "." if said else ""}


def _always_below(m: str, seeds: Sequence[Mapping[str, Any]], alone: Sequence[Mapping[str, Any]]) -> bool:
    """Whether m's encoder is worse than the one trained alone at every seed that has both: else it may be chance."""
    return all(one[m]["after"] < other[m]["after"] for one, other in zip(seeds, alone, strict=True)
               if m in one and m in other)


def _mean(seeds: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """Over the seeds that have the modality."""
    there = dict.fromkeys(m for seed in seeds for m in seed)
    return {m: {kind: sum(of) / len(of) for kind in ("before", "after")
                if (of := [seed[m][kind] for seed in seeds if kind in seed.get(m, {})])} for m in there}
