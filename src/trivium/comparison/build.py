"""Makes the comparison of all strategies from what `evaluate` left of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trivium.comparison import domain, latency, null, out, recipes, sentences
from trivium.comparison.across import across
from trivium.comparison.intervals import Estimate, Span, never
from trivium.comparison.null import Gain
from trivium.comparison.out import Comparison
from trivium.comparison.outcomes import Evaluated, load
from trivium.comparison.pairs import Pair, Results, Rules, compare, estimates, measure
from trivium.comparison.settings import Settings
from trivium.comparison.together import together
from trivium.comparison.verdict import Cost, Verdict, decide, listed
from trivium.data.meta import Meta
from trivium.data.tables import read_json
from trivium.settings.errors import UserError
from trivium.settings.parts import nearest
from trivium.tasks import Task
from trivium.tasks.base import Array
from trivium.tasks.metric import Metric
from trivium.training.records import Allowance, Trained, Tuning

FEATURES = Path("data/features/features.json")
EVALUATED = Path("reports/evaluate")
BUDGET = Path("models/budget.json")


def build(settings: Settings, entries: Sequence[str], split_method: str, bins: int, root: str | Path = ".",
          ) -> Comparison:
    """The comparison of the strategies `entries`, from their outs below `root`.

    split_method: `split.method`;  bins: of the calibration error.

    Raises:
        UserError: see `outcomes.load`.
    """
    root = Path(root)
    found = load(root / EVALUATED, entries)
    metric = ranking(found.task, settings.metric)
    rules = _rules(settings, metric, split_method, bins, found)
    results = measure(found.task, found.outcomes, found.units, rules, tuple(found.task.metrics), found.weights)
    pairs = compare(found.outcomes, results, rules)
    gains = null.gains(found.task, found.outcomes, found.train, found.units, results, rules, found.weights)
    names = list(found.outcomes)
    ranked = [names[s] for s in np.argsort(-metric.upward(results.points[metric.key]).mean(1), kind="stable")]
    about, constant, tuned = _dataset(found, root), _constant(found, bins), _tuned(names, root)
    costs = {name: _cost(found, name, gains[name]) for name in names}
    limit = None if settings.latency_ms is None else latency.within(settings.latency_ms, ranked, root)
    decided = decide(limit.inside if limit else ranked, pairs, costs, settings.reference, metric.close)
    words = sentences.Words(
        {name: found.metrics[name].title for name in names}, metric, pairs, gains, costs, rules.confidence,
        found.task.null_words(metric, constant.label, constant.metrics[metric.key]),
        recipes.published({n: found.metrics[n].recipe for n in names}), _notes(found, root, tuned), len(found.skipped),
        _budget(root), max((one.trials for one in tuned.values()), default=0), limit)
    whole = together(found, root / EVALUATED, rules, decided.recommended or ranked[0]) if settings.together else None
    parts = across(found, root / EVALUATED, decided.recommended, settings.confidence)
    made = Comparison(
        dataset=about,
        settings=out.Rules(seeds=len(found.seeds), split=split_method, **settings.model_dump()),
        metric=metric.key,
        metrics=found.task.metrics,
        beside=list(found.task.beside),
        score=found.task.shown,
        constant=constant,
        strategies={name: _strategy(found, s, name, results, rules, about, gains[name], costs[name],
                                    ranked.index(name) + 1, tuned.get(name)) for s, name in enumerate(names)},
        skipped={name: out.Skipped(title=title, **one.plain()) for name, (title, one) in found.skipped.items()},
        pairs=[_pair(pair, found.seeds, metric) for pair in pairs],
        verdict=_verdict(decided, words),
        domains=domain.summary(found, root / EVALUATED, results, rules),
        together=whole,
        **dict(parts),
    )
    return Comparison.model_validate(_rounded(made.plain()))


def _budget(root: Path) -> str:
    """The setting that the budget was made of: `budget.flops` where it is set, else `budget.epochs`."""
    given = Allowance.found(root / BUDGET)
    return "epochs" if given is None or given.epochs else "flops"


def _tuned(names: Sequence[str], root: Path) -> dict[str, Tuning]:
    """Of the strategies at which `tune` was on."""
    trained = {name: Trained.of(name, root) for name in names}
    return {name: one.tuning for name, one in trained.items() if one and one.tuning}


def _notes(found: Evaluated, root: Path, tuned: Mapping[str, Tuning]) -> list[str]:
    """What stands beside the verdict: what was not begun, what encoders do not see, and what had nothing to tune."""
    skipped = list(found.skipped.values())
    said = [one.sentence for _, one in skipped]
    if len(skipped) > 1:
        most = max((one for _, one in skipped), key=lambda one: one.needed)
        titles = [f"“{title}”" for title, _ in skipped]
        said = [f"{listed(titles)} were not begun: the budget does not pay for one "
                f"epoch of what they train. With {most.setting} in params.yaml it does for all of them."]
    said += filter(None, [recipes.unseen(found.metrics, root)])
    fixed = [f"“{found.metrics[name].title}”" for name, one in tuned.items() if not one.trials]
    return [*said, f"Nothing to tune: {listed(fixed)}."] if 0 < len(fixed) < len(tuned) else said


def ranking(task: Task, key: str) -> Metric:
    """The metric that ranks. key: `compare.metric`. Raises: UserError (the task has no such metric to rank by)."""
    known = [name for name in task.metrics if name in task.ranks]
    if key == "auto":
        return task.metrics[task.primary]
    if key not in known:
        raise UserError(f"params.yaml: `compare.metric`: {task.name} is not ranked by `{key}`; {nearest(key, known)}")
    return task.metrics[key]


def _rules(settings: Settings, metric: Metric, split_method: str, bins: int, found: Evaluated) -> Rules:
    overlap = None
    if split_method == "kfold":
        seeds = next(iter(found.metrics.values())).seeds
        overlap = float(np.mean([seed.n / seed.n_train for seed in seeds]))
    return Rules(settings.bootstrap, settings.confidence, settings.threshold, overlap, bins, metric)


def _dataset(found: Evaluated, root: Path) -> out.Dataset:
    first = next(iter(found.metrics.values()))
    meta = Meta.checked(read_json(root / FEATURES)["meta"], root / FEATURES)
    return out.Dataset(
        title=meta.title, source=meta.source, task=found.task.name, outputs=found.task.outputs,
        streams=_streams(found), train=float(np.mean([seed.n_train for seed in first.seeds])),
        test=float(np.mean([seed.n for seed in first.seeds])), groups=found.groups.whole,
        test_groups=found.groups.each, resampled=found.groups.resampled, world=meta.world)


def _streams(found: Evaluated) -> list[str]:
    """Those that any strategy reads, in order."""
    return list(dict.fromkeys(s for about in found.metrics.values() for s in about.streams))


def _constant(found: Evaluated, bins: int) -> out.Constant:
    y = [one.y for one in next(iter(found.outcomes.values()))]
    return out.Constant(label=found.task.constant_words(np.concatenate(found.train)), metrics=null.always(
        found.task, found.train, y, tuple(found.task.metrics), bins, found.weights))


def _strategy(found: Evaluated, s: int, name: str, results: Results, rules: Rules, dataset: out.Dataset, gain: Gain,
              cost: Cost, rank: int, tuned: Tuning | None) -> out.Strategy:
    """What is known of the strategy `name`, the one at `s`."""
    about, outcomes, metrics = found.metrics[name], found.outcomes[name], found.task.metrics
    trained = {str(seed.seed): seed.training for seed in about.seeds}
    one_class, missing = None, None
    if found.task.categorical:
        one_class = float(np.mean([np.bincount(one.prediction).max() / len(one.y) for one in outcomes]))
    took = {seed: training.chosen for seed, training in trained.items() if training.chosen is not None}
    chosen = took if len(took) == len(trained) else None
    if dataset.world and "accuracy" in metrics:
        missing = dataset.world.bayes["all"] - float(results.points["accuracy"][s].mean())
    spans = estimates(found.task, results, s, rules)
    if "accuracy" in metrics:
        spans["accuracy"] = _seen(found, results.points["accuracy"][s], rules) or spans["accuracy"]
    return out.Strategy(
        title=about.title, strategy=about.strategy, start=about.start, recipe=about.recipe, rank=rank,
        metrics={metric: Span(mean=one.mean, low=one.low, high=one.high, sd=one.sd) for metric, one in spans.items()},
        seeds={str(seed): {metric: float(results.points[metric][s, j]) for metric in metrics}
               for j, seed in enumerate(found.seeds)},
        gain=out.Gain(mean=gain.mean, low=gain.low, high=gain.high, p=gain.p, p_holm=gain.p_holm),
        learned=gain.learned, failed_share=gain.failed, one_class=one_class, chosen=chosen, flops=cost.flops,
        over_budget=cost.ratio, to_ceiling=missing, parameters=out.Parameters(
            total=_mean(one.parameters.total for one in trained.values()),
            trained=_mean(one.parameters.trained for one in trained.values())),
        trials=tuned.trials if tuned else None,
        tuning=_mean(one.flops for one in tuned.seeds) if tuned and tuned.seeds else None)


def _seen(found: Evaluated, accuracies: Array, rules: Rules) -> Estimate | None:
    """The accuracy of a strategy that was right, or wrong, on every sample of every seed, where a bootstrap has nothing
    to draw: an interval from how many samples (or groups) that are; None for any other.
    """
    if not (accuracies == accuracies[0]).all() or accuracies[0] not in (0.0, 1.0):
        return None
    units, mean = len(np.unique(np.concatenate(found.units))), float(accuracies[0])
    unseen = never(units, rules.confidence)
    return Estimate(mean, mean * (1 - unseen), mean + (1 - mean) * unseen, 0.0, 1.0)


def _cost(found: Evaluated, name: str, gain: Gain) -> Cost:
    trained = [seed.training for seed in found.metrics[name].seeds]
    flops = _mean(one.flops.total for one in trained)
    return Cost(flops, _mean(one.parameters.total for one in trained), gain.failed,
                flops / _mean(one.flops.budget for one in trained), gain.learned)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _pair(pair: Pair, seeds: tuple[int, ...], metric: Metric) -> out.Pair:
    chance, low, high = pair.outperform
    gap = pair.difference
    return out.Pair(
        a=pair.a, b=pair.b, difference=gap.mean, low=gap.low, high=gap.high, p_outperform=chance, p_outperform_low=low,
        p_outperform_high=high, p_value=gap.p, p_value_holm=pair.p_holm, mcnemar_p=pair.mcnemar_pooled,
        mcnemar_p_seeds={str(seed): p for seed, p in zip(seeds, pair.mcnemar, strict=False)}, beats=pair.beats,
        verdict="better" if pair.beats else "ahead" if gap.low > 0 else "close" if gap.high <= metric.close else "open")


def _verdict(decided: Verdict, words: sentences.Words) -> out.Verdict:
    sentence, reason = sentences.say(decided, words)
    whole, within = decided.whole, decided.within
    return out.Verdict(
        learned=any(cost.learned for cost in words.costs.values()), winner=whole.winner, tied=list(whole.tied),
        behind=list(whole.behind),
        recommended=decided.recommended, within=within.recommended,
        simple=(within if decided.recommended == within.recommended else whole).simple, sentence=sentence,
        reason=reason)


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
