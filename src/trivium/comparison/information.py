"""What a set of streams tells about the label, in bits, as far as the models at hand could find out.

I(Y; S) >= H(Y) - cross-entropy of any prediction of Y from S (Barber & Agakov 2003). So each subset S gets the bound
of the best model restricted to it (`trivium.evaluation.information`). "Best" is chosen on validation and the bits are
those of the test set; a set knows at least what its subsets know.

Two streams a and b have R redundant bits, U unique ones each, S synergistic ones (see `broja`), with
I(a) = R + U_a, I(b) = R + U_b, I(a, b) = R + U_a + U_b + S. The left sides are the bounds. R depends only on how a and
b each go with the label, so it is taken from what the two unimodal models predict: R = share x min(I(a), I(b)), the
share being that of BROJA on the tables (label, prediction). No joint table is needed, which ~1,000 samples could not
fill.

Legend: `C` classes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

import numpy as np

from trivium.comparison import reads
from trivium.comparison.broja import information, least_information
from trivium.comparison.words import Shared, sentence, training
from trivium.data.out import Part
from trivium.evaluation import metrics

FEWEST = 225  # test samples of all seeds: a bound is then known to 0.1 bits, where samples deviate by 1.5 bits


class Bound(Part):
    """A lower bound of I(Y; S) in bits, by the strategy that found most. seeds: of each seed."""

    mean: float
    seeds: list[float]
    strategy: str


class Information(Part):
    """entropy: of the label, bits;  bits: by set of streams, "a+b";  pairs: "a+b";  encoders: by stream and encoder,
    bits that the best strategy found with it, None where no strategy that has it reads the stream at every seed;
    sentence, training: in words, empty where a set that they need was not measured.
    """

    entropy: float
    bits: dict[str, Bound]
    pairs: dict[str, Shared]
    encoders: dict[str, dict[str, float | None]]
    sentence: str
    training: str


def summary(measured: Mapping[str, Sequence[metrics.Information]], streams: Sequence[str],
            readers: Mapping[str, Mapping[str, str]] | None = None,
            seen: Mapping[str, Sequence[Collection[str]]] | None = None) -> Information:
    """From `trivium.evaluation.information.measure` of several strategies: {strategy: [one result per seed]}, paired.

    readers: strategy -> stream -> the encoder that reads it. A strategy may know fewer sets than others.
    seen: strategy -> per seed, the streams that its model reads (see `reads`); all of them where it is not given. What
    no strategy reads at every seed was not measured.
    """
    one = next(iter(measured.values()))
    entropy = [_entropy(np.array(seed.labels, float)) for seed in one]
    seen = seen or {name: [streams] * len(seeds) for name, seeds in measured.items()}
    streams = [s for s in streams if any(reads.whole(s, seen[name]) for name in measured)]
    bits = dict[str, Bound]()
    for shown in ("+".join(s) for k in range(len(streams)) for s in combinations(streams, k + 1)):
        known = [name for name, seeds in measured.items() if all(shown in seed.subsets for seed in seeds)]
        if any(reads.whole(shown, seen[name]) for name in known):
            bits[shown] = _bound(shown, {name: measured[name] for name in known}, entropy, bits)
    alone = [s for s in streams if s in bits]
    tables = {s: np.sum([seed.tables[s] for seed in measured[bits[s].strategy]], axis=0) for s in alone
              if one[0].tables}
    means = {shown: value.mean for shown, value in bits.items()}
    pairs = {f"{a}+{b}": _pair(means, tables, a, b) for a, b in combinations(alone, 2) if f"{a}+{b}" in bits}
    mean_entropy = float(np.mean(entropy))
    encoders = {s: _by_encoder(s, measured, readers, seen, entropy) for s in alone} if readers else {}
    needed = ["+".join(s) for k in {1, 2, max(0, len(streams) - 1), len(streams)}
              for s in combinations(streams, k)]
    told = bool(streams) and all(shown in bits for shown in filter(None, needed))
    samples = sum(sum(seed.labels) for seed in one)
    if told and samples < FEWEST:
        said = (f"{samples:,} test samples, all seeds together, are too few to say which stream holds what: figures "
                "below may be chance.")
        return Information(entropy=mean_entropy, bits=bits, pairs=pairs, encoders=encoders, sentence=said, training="")
    return Information(entropy=mean_entropy, bits=bits, pairs=pairs, encoders=encoders,
                       sentence=sentence(mean_entropy, means, pairs, encoders) if told else "",
                       training=training(mean_entropy, means, pairs) if told else "")


def _bound(shown: str, measured: Mapping[str, Sequence[metrics.Information]], entropy: Sequence[float],
           inside: Mapping[str, Bound]) -> Bound:
    """The bits of the best model restricted to the set `shown`; inside: those of smaller sets."""
    val = {name: np.mean([seed.subsets[shown].val for seed in seeds]) for name, seeds in measured.items()}
    best = min(val, key=lambda name: val[name])
    nll = [seed.subsets[shown].test for seed in measured[best]]
    smaller = [inside[s].seeds for s in inside if set(s.split("+")) < set(shown.split("+"))]
    known = [max([0.0, h - value / math.log(2), *(seeds[k] for seeds in smaller)])
             for k, (h, value) in enumerate(zip(entropy, nll, strict=True))]
    return Bound(mean=float(np.mean(known)), seeds=known, strategy=best)


def _by_encoder(stream: str, measured: Mapping[str, Sequence[metrics.Information]],
                readers: Mapping[str, Mapping[str, str]], seen: Mapping[str, Sequence[Collection[str]]],
                entropy: Sequence[float]) -> dict[str, float | None]:
    """Encoder -> bits of `stream` that the best strategy found with it, best first; None where none was asked."""
    found: dict[str, float | None] = {}
    for encoder in dict.fromkeys(readers[name][stream] for name in measured if stream in readers[name]):
        with_it = {name: seeds for name, seeds in measured.items() if readers[name].get(stream) == encoder
                   and all(stream in seed.subsets for seed in seeds)}
        asked = {name: seeds for name, seeds in with_it.items() if reads.whole(stream, seen[name])}
        if with_it:
            found[encoder] = _bound(stream, asked, entropy, {}).mean if asked else None
    return dict(sorted(found.items(), key=lambda item: (item[1] is None, -(item[1] or 0.0))))


def decompose(one: float, two: float, both: float, share: float) -> dict[str, float]:
    """Bits of the parts, from those of each source, of both, and the share of the smaller one that is redundant."""
    redundant = share * min(one, two)
    # A bound can be too low for the sum to come out; then redundancy is what must give, since it is the estimate.
    redundant = max(redundant, one + two - both)
    return {"redundant": redundant, "unique_first": one - redundant, "unique_second": two - redundant,
            "synergistic": both - one - two + redundant, "net": both - one - two}


def _pair(bits: Mapping[str, float], tables: Mapping[str, np.ndarray], a: str, b: str) -> Shared:
    one, two, both = bits[a], bits[b], bits[f"{a}+{b}"]
    if not tables:
        return Shared(net=both - one - two)
    first, second = (tables[m] / tables[m].sum() for m in (a, b))
    i, j = information(first), information(second)
    share = (i + j - least_information(first, second, 1e-3)) / min(i, j) if min(i, j) > 0 else 0.0
    parts = decompose(one, two, both, min(max(share, 0.0), 1.0))
    return Shared(redundant=parts["redundant"], synergistic=parts["synergistic"], net=parts["net"],
                  unique={a: parts["unique_first"], b: parts["unique_second"]})


def _entropy(counts: np.ndarray) -> float:
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log2(p)).sum())
