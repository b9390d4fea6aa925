"""What a set of modalities tells about the label, in bits, as far as the models at hand could find out.

I(Y; S) >= H(Y) - cross-entropy of any prediction of Y from S (Barber & Agakov 2003). So each subset S gets the bound
of the best model restricted to it (`trivium.evaluation.information`). "Best" is chosen on validation and the bits are
those of the test set; a set knows at least what its subsets know.

Two modalities a and b have R redundant bits, U unique ones each, S synergistic ones (see `broja`), with
I(a) = R + U_a, I(b) = R + U_b, I(a, b) = R + U_a + U_b + S. The left sides are the bounds. R depends only on how a and
b each go with the label, so it is taken from what the two unimodal models predict: R = share x min(I(a), I(b)), the
share being that of BROJA on the tables (label, prediction). No joint table is needed, which ~1,000 samples could not
fill.

Legend: `C` classes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from trivium.comparison.broja import information, least_information
from trivium.comparison.words import sentence, training


def summary(measured: Mapping[str, Sequence[Mapping[str, Any]]], modalities: Sequence[str]) -> dict[str, Any]:
    """From `trivium.evaluation.information.measure` of several strategies: {strategy: [one result per seed]}, paired.

    Returns:
        entropy: of the label; bits {"a+b": {"mean", "seeds", "from": strategy}}: lower bounds of I(Y; S);
        pairs {"a+b": {"redundant", "unique": {a: .., b: ..}, "synergistic", "net"}}: net is synergistic less redundant;
        the others are None where classes are too many for tables; sentence, training: in words.
    """
    one = next(iter(measured.values()))
    entropy = [_entropy(np.array(seed["labels"], float)) for seed in one]
    bits: dict[str, dict[str, Any]] = {}
    for shown in ("+".join(s) for k in range(len(modalities)) for s in combinations(modalities, k + 1)):
        val = {name: np.mean([seed["subsets"][shown]["val"] for seed in seeds]) for name, seeds in measured.items()}
        best = min(val, key=lambda name: val[name])
        nll = [seed["subsets"][shown]["test"] for seed in measured[best]]
        inside = [bits[s]["seeds"] for s in bits if set(s.split("+")) < set(shown.split("+"))]
        known = [max([0.0, h - value / math.log(2), *(seeds[k] for seeds in inside)])
                 for k, (h, value) in enumerate(zip(entropy, nll, strict=True))]
        bits[shown] = {"mean": float(np.mean(known)), "seeds": known, "from": best}
    tables = {m: np.sum([seed["tables"][m] for seed in measured[bits[m]["from"]]], axis=0) for m in modalities
              if one[0]["tables"]}
    means = {shown: value["mean"] for shown, value in bits.items()}
    pairs = {f"{a}+{b}": _pair(means, tables, a, b) for a, b in combinations(modalities, 2)}
    mean_entropy = float(np.mean(entropy))
    return {"entropy": mean_entropy, "bits": bits, "pairs": pairs,
            "sentence": sentence(mean_entropy, means, pairs), "training": training(mean_entropy, means, pairs)}


def decompose(one: float, two: float, both: float, share: float) -> dict[str, float]:
    """Bits of the parts, from those of each source, of both, and the share of the smaller one that is redundant."""
    redundant = share * min(one, two)
    # A bound can be too low for the sum to come out; then redundancy is what must give, since it is the estimate.
    redundant = max(redundant, one + two - both)
    return {"redundant": redundant, "unique_first": one - redundant, "unique_second": two - redundant,
            "synergistic": both - one - two + redundant, "net": both - one - two}


def _pair(bits: Mapping[str, float], tables: Mapping[str, np.ndarray], a: str, b: str) -> dict[str, Any]:
    one, two, both = bits[a], bits[b], bits[f"{a}+{b}"]
    if not tables:
        return {"redundant": None, "unique": None, "synergistic": None, "net": both - one - two}
    first, second = (tables[m] / tables[m].sum() for m in (a, b))
    i, j = information(first), information(second)
    share = (i + j - least_information(first, second, 1e-3)) / min(i, j) if min(i, j) > 0 else 0.0
    parts = decompose(one, two, both, min(max(share, 0.0), 1.0))
    return {"redundant": parts["redundant"], "synergistic": parts["synergistic"], "net": parts["net"],
            "unique": {a: parts["unique_first"], b: parts["unique_second"]}}


def _entropy(counts: np.ndarray) -> float:
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log2(p)).sum())
