"""Can what is said of single answers be believed? Deletion curves of all strategies (`trivium.evaluation.attribution`),
held against taking inputs away at random.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trivium.comparison.intervals import Span, over_seeds
from trivium.comparison.significance import holm
from trivium.data.out import Part
from trivium.evaluation import metrics

WAYS = {"area": "what spoke most", "rollout": "what the encoder looks at most"}


class Gain(Part):
    """by: by how much the area under the support of the answer is smaller than in random order, 0-1, mean over seeds;
    span: the same with its interval, None of a single seed;  area, random: these areas;  better: surely, after Holm's
    correction over all strategies and streams.
    """

    by: float
    span: Span | None = None
    area: float
    random: float
    better: bool


class Attribution(Part):
    """gains: way (see `WAYS`) -> strategy -> stream, no entry where there is nothing to order by.  rest: stream -> the
    share of what it counts that the attributions of its inputs do not add up to, of all strategies together.
    """

    gains: dict[str, dict[str, dict[str, Gain]]]
    rest: dict[str, float]
    sentence: str


def summary(measured: Mapping[str, Sequence[metrics.Attribution]], confidence: float) -> Attribution | None:
    """Of several strategies, {strategy: [one result per seed]}; None where nothing was explained."""
    gains = {way: _gains(way, measured, confidence) for way in WAYS}
    if not gains["area"]:
        return None
    each = [(s, one) for seeds in measured.values() for seed in seeds for s, one in seed.complete.items()]
    sizes = {s: (sum(one.rest for own, one in each if own == s), sum(one.whole for own, one in each if own == s))
             for s, _ in each}
    said = [_said(WAYS[way], found) for way, found in gains.items() if found]
    return Attribution(gains=gains, rest={s: rest / whole for s, (rest, whole) in sizes.items() if whole > 0},
                       sentence=" ".join(said))


def _gains(way: str, measured: Mapping[str, Sequence[metrics.Attribution]], confidence: float,
           ) -> dict[str, dict[str, Gain]]:
    found, doubts = dict[str, dict[str, Gain]](), list[tuple[str, str, float]]()
    for name, seeds in measured.items():
        for stream in dict.fromkeys(s for seed in seeds for s in seed.deletion):
            known = [(area, seed.deletion[stream].random) for seed in seeds if stream in seed.deletion
                     and (area := getattr(seed.deletion[stream], way)) is not None]
            if not known:
                continue
            by = [random - area for area, random in known]
            made = over_seeds(by, confidence=confidence) if len(by) > 1 else None
            found.setdefault(name, {})[stream] = Gain(
                by=sum(by) / len(by), span=made.span if made else None, area=sum(a for a, _ in known) / len(known),
                random=sum(r for _, r in known) / len(known), better=False)
            doubts.append((name, stream, made.p if made else 1.0))
    for (name, stream, _), p in zip(doubts, holm([p for *_, p in doubts]), strict=True):
        gain = found[name][stream]
        found[name][stream] = gain.model_copy(update={"better": gain.by > 0 and p <= 1 - confidence})
    return found


def _said(what: str, found: Mapping[str, Mapping[str, Gain]]) -> str:
    """In how many cases an order is surely better than chance, and by how much it is in all."""
    every = [gain for of in found.values() for gain in of.values()]
    sure, mean = sum(gain.better for gain in every), sum(gain.by for gain in every) / len(every)
    cases = f"{sure} of {len(every)} {'pairs' if len(every) > 1 else 'pair'} of strategy and stream"
    return (f"To take away {what} first costs the answer surely more than a random order in {cases}; on average, the "
            f"area under the curve is {'smaller' if mean >= 0 else 'larger'} by {abs(mean):.2f}.")
