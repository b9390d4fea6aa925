"""Descriptions that people read in the MLflow UI (Markdown)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from trivium.comparison.out import Comparison
from trivium.settings.told import markdown
from trivium.tasks.metric import Metric
from trivium.tracking.outs import Outcome, Outs

EXPERIMENT = """\
Which way to train a multimodal model wins on this data and this compute budget, and how sure is that answer?

* Each strategy is one run with its seeds nested below it (**+** opens them); `rank` 1 is best. The run `comparison`
  holds the verdict, the table and the report.
* `test/{key}`, {words}, is what ranks: the mean over seeds. `test/{key}_low` and `test/{key}_high` are the ends of its
  interval. Shares are 0 to 1{units}.
* Charts of training (`train/loss`, `val/nll`, `val/score`): the step is the **percentage of the compute budget**
  that was spent by then, pretraining included, so that all strategies line up.
* `cost/seconds` is the wall clock of the strategy's own stage, all seeds together, without the pretraining that
  strategies share; `cost/train_flops` is one seed with its pretraining.
* `budget/*` (after `trivium curves`): {words} with less and more; the step is the percentage of the present compute
  or labels.
* The score of `val/score`, `subset_score/*` and what follows is {score}. `contribution/*`: Shapley value of a stream;
  `probe/*`: what a linear probe gets from its encoder; `corrupted_score/*`: mean from clean to noise in that stream.
* Older results stay: `tags.latest = 'true'` shows the present ones. Filter also by `tags.dataset`, `tags.world`,
  `tags.fusion`, `tags.strategy`, `tags.kind` (parent, seed, comparison).

This store is a view that `trivium sync` makes from the pipeline's outputs; delete it and it can be made again.
"""


def experiment(outs: Outs) -> str:
    """What stands above the runs table."""
    task, metric = outs.outcomes[0].task, outs.metric
    units: dict[str, list[str]] = {}
    for one in task.metrics.values():
        units.setdefault(one.short, []).append(f"`test/{one.key}`")
    said = "".join(f"; in {unit}: {', '.join(names)}" for unit, names in units.items() if unit not in ("", "points"))
    return EXPERIMENT.format(key=metric.key, words=metric.words, score=task.score_words, units=said)


def strategy(outs: Outs, outcome: Outcome, results: Mapping[str, float]) -> str:
    """What the strategy does, what came out, and what the comparison says about it."""
    of = f" of {len(outs.comparison.strategies)}" if outs.comparison else ""
    seeds = len(outcome.metrics.seeds)
    lines = [f"**{outcome.name}**: {what(outcome.training.strategy)}", ""]
    result = outs.metric.level(results[f"test/{outs.metric.key}"])
    lines.append(f"* On test **{result}**{interval(results, outs.metric)}, mean of {seeds} seeds"
                 + (f"; rank **{results['rank']:.0f}**{of}" if "rank" in results else ""))
    beside = [one.level(results[f"test/{one.key}"]) for one in outs.beside if f"test/{one.key}" in results]
    if beside:
        lines.append(f"* Beside it: {', '.join(beside)}")
    cost = f"* Cost per seed: {results['cost/train_flops']:.2e} training FLOPs"
    if results["cost/pretrain_flops"]:
        share = results["cost/pretrain_flops"] / results["cost/train_flops"]
        cost += f" ({share:.0%} of them for pretraining)"
    lines.append(f"{cost}, {results['cost/parameters']:,.0f} parameters")
    chosen = sorted({seed.chosen for seed in outcome.training.seeds if seed.chosen})
    if chosen:
        lines.append(f"* Chosen on validation: {markdown(', '.join(chosen))}")
    if results.get("failed_share"):
        lines.append(f"* **{results['failed_share']:.0%} of the seeds failed**")
    if outs.comparison:
        lines += ["", f"*Verdict of the comparison*: {markdown(outs.comparison.verdict.sentence)}"]
    lines += ["", f"The model of this run is seed {outcome.training.best.seed}, the best on validation. It takes a "
              f"table with the columns {markdown(', '.join(outcome.metrics.streams))} (any may be empty); it answers "
              f"with {outcome.task.gives}."]
    return "\n".join(lines)


def comparison(found: Comparison) -> str:
    """The verdict, its reason and the table."""
    verdict, metric = found.verdict, found.ranks
    lines = [f"**{markdown(verdict.sentence)}**", "", markdown(verdict.reason), "",
             f"| rank | strategy | {metric.words} | interval | training FLOPs |", "|---:|---|---:|---|---:|"]
    for name in found.order:
        entry, span = found.strategies[name], found.strategies[name].metrics[metric.key]
        lines.append(f"| {entry.rank} | {name} | {metric.value(span.mean)} | {metric.number(span.low)} to "
                     f"{metric.value(span.high)} | {entry.flops:.2e} |")
    return "\n".join([*lines, "", "The artifact `report.html` tells the whole story; `figures` holds its pictures."])


def what(kind: str) -> str:
    """The first sentence of the strategy's file."""
    try:
        text = importlib.import_module(f"trivium.strategies.{kind}").__doc__ or ""
    except ModuleNotFoundError:
        return "a strategy whose file is gone."
    return " ".join(text.strip().split("\n\n")[0].split())


def interval(results: Mapping[str, float], metric: Metric) -> str:
    low, high = (results.get(f"test/{metric.key}_{end}") for end in ("low", "high"))
    return "" if low is None or high is None else f" (interval {metric.number(low)} to {metric.value(high)})"
