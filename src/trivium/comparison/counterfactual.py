"""Whose answers follow which stream, of all strategies; each is measured in `trivium.evaluation.counterfactual`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trivium.comparison.intervals import Span, never, over_seeds
from trivium.data.out import Part
from trivium.evaluation import metrics


class Follows(Part):
    """Over the seeds whose model reads the stream. follows: how far answers go to that of the other sample, 1 at most;
    None where fewer than two seeds have pairs with different answers.  moved: `Task.gap` between before and after;
    pairs: samples, all seeds together.
    """

    follows: Span | None = None
    moved: float
    pairs: int


class Counterfactual(Part):
    """strategies: name -> stream;  sentence: about the strategy that is recommended."""

    strategies: dict[str, dict[str, Follows]]
    sentence: str


def summary(measured: Mapping[str, Sequence[metrics.Counterfactuals]], chosen: str | None, titles: Mapping[str, str],
            single: bool, confidence: float) -> Counterfactual | None:
    """Of several strategies, {strategy: [one result per seed]}; None where nobody was asked.

    chosen: the strategy that the sentence is about;  single: whether an answer is one class.
    """
    found = dict[str, dict[str, Follows]]()
    for name, seeds in measured.items():
        for stream in dict.fromkeys(s for seed in seeds for s in seed.streams):
            found.setdefault(name, {})[stream] = _mean(
                [seed.streams[stream] for seed in seeds if stream in seed.streams], single, confidence)
    if not found:
        return None
    said = _sentence(found.get(chosen or "", {}), titles.get(chosen or "", ""), single)
    return Counterfactual(strategies=found, sentence=said)


def _mean(seeds: Sequence[metrics.Followed], single: bool, confidence: float) -> Follows:
    known = [(one.follows, one.error or 0.0, one.unlike) for one in seeds if one.follows is not None]
    span = None
    if len(known) > 1:
        values, errors, unlike = zip(*known, strict=True)
        made = over_seeds(values, errors, confidence).span
        if made.low == made.high and made.mean in (0.0, 1.0):  # the same of every pair of every seed
            unseen = never(sum(unlike), confidence)
            made = Span(mean=made.mean, low=max(0.0, made.mean - unseen), high=min(1.0, made.mean + unseen))
        lowest = 0.0 if single else made.low  # a share of the answers
        span = Span(mean=made.mean, low=max(made.low, lowest), high=min(made.high, 1.0))
    moved = sum(one.moved for one in seeds) / len(seeds)
    return Follows(follows=span, moved=moved, pairs=sum(one.pairs for one in seeds))


def _sentence(streams: Mapping[str, Follows], title: str, single: bool) -> str:
    known = {s: one.follows for s, one in streams.items() if one.follows}
    if not known:
        return ""
    first = max(known, key=lambda s: known[s].mean)
    span = known[first]
    share = f"{span.mean:.0%} ({span.low:.0%} to {span.high:.0%})".replace("%", " %")
    said = f"With one stream of another sample, the answers of “{title}” follow {first}"
    if any(other.high >= span.low for s, other in known.items() if s != first):
        return f"{said} {f'in {share} of the pairs' if single else f'{share} of the way'}, and no stream surely most."
    most = " most" if len(known) > 1 else ""
    how = (f"in {share} of the pairs the answer becomes that of the other sample" if single else
           f"they go {share} of the way to that of the other sample")
    return f"{said}{most}: {how}."
