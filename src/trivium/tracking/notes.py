"""Descriptions that people read in the MLflow UI (Markdown)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from trivium.tracking.outs import Outcome, Outs

EXPERIMENT = """\
Which way to train a multimodal model wins on this data and this compute budget, and how sure is that answer?

* Each strategy is one run with its seeds nested below it (**+** opens them); `rank` 1 is best. The run `comparison`
  holds the verdict, the table and the report.
* `test/accuracy` is the mean over seeds, `test/accuracy_low` and `test/accuracy_high` the ends of its interval.
* Charts of training (`train/loss`, `val/nll`, `val/accuracy`): the step is the **percentage of the compute budget**
  that was spent by then, pretraining included, so that all strategies line up.
* `cost/seconds` is the wall clock of the strategy's own stage, all seeds together, without the pretraining that
  strategies share; `cost/train_flops` is one seed with its pretraining.
* `budget/*` (after `trivium curves`): accuracy with less and more; the step is the percentage of the present compute
  or labels.
* `contribution/*`: Shapley value of a stream, in accuracy; `probe/*`: what a linear probe gets from its encoder;
  `corrupted_accuracy/*`: mean accuracy from clean to noise in that stream.
* Older results stay: `tags.latest = 'true'` shows the present ones. Filter also by `tags.dataset`, `tags.world`,
  `tags.fusion`, `tags.strategy`, `tags.kind` (parent, seed, comparison).

This store is a view that `trivium sync` makes from the pipeline's outputs; delete it and it can be made again.
"""


def strategy(outs: Outs, outcome: Outcome, results: Mapping[str, float]) -> str:
    """What the strategy does, what came out, and what the comparison says about it."""
    comparison = outs.comparison or {}
    of = f" of {len(comparison['strategies'])}" if "strategies" in comparison else ""
    seeds = len(outcome.metrics["seeds"])
    lines = [f"**{outcome.name}**: {what(outcome.training['strategy'])}", ""]
    lines.append(f"* Test accuracy **{results['test/accuracy']:.3f}**{interval(results, 'test/accuracy')}, "
                 f"mean of {seeds} seeds" + (f"; rank **{results['rank']:.0f}**{of}" if "rank" in results else ""))
    if "test/nll" in results and "test/ece" in results:
        lines.append(f"* NLL {results['test/nll']:.3f}, expected calibration error {results['test/ece']:.3f}")
    cost = f"* Cost per seed: {results['cost/train_flops']:.2e} training FLOPs"
    if results["cost/pretrain_flops"]:
        share = results["cost/pretrain_flops"] / results["cost/train_flops"]
        cost += f" ({share:.0%} of them for pretraining)"
    lines.append(f"{cost}, {results['cost/parameters']:,.0f} parameters")
    chosen = sorted({seed["chosen"] for seed in outcome.training["seeds"] if seed.get("chosen")})
    if chosen:
        lines.append(f"* Stream chosen on validation: {', '.join(chosen)}")
    if results.get("failed_share"):
        lines.append(f"* **{results['failed_share']:.0%} of the seeds failed**")
    if "verdict" in comparison:
        lines += ["", f"*Verdict of the comparison*: {comparison['verdict']['sentence']}"]
    lines += ["", f"The model of this run is seed {outcome.best['seed']}, the best on validation. It takes a table "
              f"with the columns {', '.join(outcome.metrics['streams'])} (any may be empty); it answers with a "
              "label and a probability per class."]
    return "\n".join(lines)


def comparison(outs: Outs) -> str:
    """The verdict, its reason and the table."""
    found = outs.comparison or {}
    verdict = found.get("verdict", {})
    lines = [f"**{verdict.get('sentence', 'No verdict yet.')}**", "", str(verdict.get("reason", "")), "",
             "| rank | strategy | accuracy | interval | training FLOPs |", "|---:|---|---:|---|---:|"]
    entries = sorted(found.get("strategies", {}).items(), key=lambda item: item[1]["rank"])
    for name, entry in entries:
        accuracy = entry["accuracy"]
        lines.append(f"| {entry['rank']} | {name} | {accuracy['mean']:.3f} | {accuracy['low']:.3f} to "
                     f"{accuracy['high']:.3f} | {entry.get('flops', float('nan')):.2e} |")
    return "\n".join([*lines, "", "The artifact `report.html` tells the whole story; `figures` holds its pictures."])


def what(kind: str) -> str:
    """The first sentence of the strategy's file."""
    try:
        text = importlib.import_module(f"trivium.strategies.{kind}").__doc__ or ""
    except ModuleNotFoundError:
        return "a strategy whose file is gone."
    return " ".join(text.strip().split("\n\n")[0].split())


def interval(results: Mapping[str, float], name: str) -> str:
    if f"{name}_low" not in results:
        return ""
    return f" (interval {results[f'{name}_low']:.3f} to {results[f'{name}_high']:.3f})"
