"""Which encoder did a strategy leave unlearned? Linear probes (`trivium.evaluation.probes`) say.

An encoder inside a strategy's model is compared with the same encoder at its random start and with that stream trained
alone: joint training may stop learning a stream once another one explains the label (Huang et al. 2022).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from trivium.data.out import Part
from trivium.evaluation import metrics
from trivium.tasks.metric import Metric

Probes = Mapping[str, metrics.Probe]  # by stream, of one seed
Readers = Mapping[str, Mapping[str, str]]  # strategy -> stream -> the encoder that reads it

HALF = 0.5  # an encoder that gained less than this share of what training alone gains is unlearned
ENOUGH = 100  # test samples of all seeds together: of fewer, nothing is said
WORTH = 0.03  # score that training alone must gain, or there is nothing to learn


class Probe(Part):
    """Scores: of an encoder at its random start (None where the weights were published), inside the strategy's model,
    and trained alone (None where nobody trained it alone); means over seeds.
    """

    before: float | None = None
    after: float
    alone: float | None = None

    @property
    def unlearned(self) -> bool:
        """Whether the encoder gained less than `HALF` of what training alone gained, where that is worth `WORTH`."""
        if self.before is None or self.alone is None:
            return False
        worth = self.alone - self.before
        return worth >= WORTH and self.after - self.before < HALF * worth


class Laziness(Part):
    """strategies: name -> stream -> scores;  unlearned: name -> streams, where there are any."""

    strategies: dict[str, dict[str, Probe]]
    unlearned: dict[str, list[str]]
    sentence: str


def summary(measured: Mapping[str, Sequence[Probes]], alone: Readers, readers: Readers, titles: Mapping[str, str],
            score: Metric, still: Collection[str] = (), samples: Mapping[str, int] | None = None) -> Laziness:
    """Of several strategies, {strategy: [the probes of one seed]}.

    alone: those whose encoders were trained alone, of which the first with the same encoder is held against a strategy;
    score: how the task says its score;  still: strategies whose encoders do not move, so that they leave nothing
    unlearned;  samples: stream -> test samples that every strategy's probe was asked about, all seeds together; enough
    of them where it is not given.
    """
    means = {name: _mean(seeds) for name, seeds in measured.items()}
    other = {name: {s: _reference(s, name, means, alone, readers) for s in scores} for name, scores in means.items()}
    found = {name: {s: Probe(**each, alone=means[one][s]["after"] if (one := other[name][s]) else None)
                    for s, each in scores.items()} for name, scores in means.items()}
    few = {s for s, n in (samples or {}).items() if n < ENOUGH}
    lazy = {}
    for name, scores in found.items():
        missed = [s for s, probe in scores.items() if probe.unlearned and name not in still and s not in few
                  and _always_below(s, measured[name], measured[other[name][s] or ""])]
        if missed:
            lazy[name] = missed
    say = partial(_said, score)
    said = [f"“{titles[name]}” taught its {' and '.join(missed)} encoder{'s' * (len(missed) > 1)} less than half of "
            "what training alone does: a linear probe gets " + ", ".join(
                f"{say(found[name][s].after)} from `{readers[name][s]}` ({say(found[name][s].before)} before any "
                f"training, {say(found[name][s].alone)} trained alone)" for s in missed)
            for name, missed in lazy.items()]
    streams = list(dict.fromkeys(s for reads in readers.values() for s in reads))
    return Laziness(strategies=found, unlearned=lazy,
                    sentence="; ".join(said or _learned(means, alone, streams, few, score)) + "." if said or alone
                    else "")


def _learned(means: Mapping[str, Mapping[str, Mapping[str, float]]], alone: Readers, streams: Collection[str],
             few: Collection[str], score: Metric) -> list[str]:
    """What is said where nobody left anything unlearned, and of which of the `streams` that cannot be said; few: those
    with too few samples."""
    if set(streams) <= set(few):
        return [f"Fewer than {ENOUGH} test samples cannot tell which stream was left unlearned"]
    drawn = {s: one for name in reversed(list(alone)) for s, one in means.get(name, {}).items()
             if "before" in one and s not in few}
    learned = [s for s, one in drawn.items() if one["after"] - one["before"] >= WORTH]
    plain = [f"{_said(score, one['before'])} from the {s} encoder" for s, one in drawn.items()
             if one["before"] > 1 - WORTH]
    rest = [s for s in streams if s not in learned]
    unknown = f"; of {' and '.join(rest)} that cannot be said" if rest else ""
    return [f"No strategy was found to leave {' or '.join(learned)} unlearned{unknown}" if learned else
            f"Before any training a linear probe gets {' and '.join(plain)}: there is little to learn" if plain else
            "Nothing was learned from any stream alone that a linear probe could read"]


def _said(score: Metric, value: float | None) -> str:
    """In whole percent, or as the score is said."""
    assert value is not None
    return f"{value:.0%}" if score.scale == 100 else score.level(value)


def _reference(stream: str, name: str, means: Mapping[str, Mapping[str, Any]], alone: Readers, readers: Readers,
               ) -> str | None:
    """The strategy that trained alone the encoder that `name` reads `stream` with."""
    return next((one for one, reads in alone.items() if stream in means.get(one, {})
                 and reads.get(stream) == readers[name].get(stream)), None)


def _always_below(s: str, seeds: Sequence[Probes], alone: Sequence[Probes]) -> bool:
    """Whether an encoder is worse than the one trained alone at every seed that has both: else it may be chance."""
    return all(one[s].after < other[s].after for one, other in zip(seeds, alone, strict=True)
               if s in one and s in other)


def _mean(seeds: Sequence[Probes]) -> dict[str, dict[str, float]]:
    """Over the seeds that have the stream."""
    there = dict.fromkeys(s for seed in seeds for s in seed)
    probes = {s: [seed[s] for seed in seeds if s in seed] for s in there}
    kinds = {s: {"before": [one.before for one in of if one.before is not None], "after": [one.after for one in of]}
             for s, of in probes.items()}
    return {s: {kind: sum(of) / len(of) for kind, of in both.items() if of} for s, both in kinds.items()}
