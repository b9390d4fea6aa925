"""The card of an exported model (Mitchell et al. 2019, arXiv 1810.03993): `README.md` of its folder, from the record.

What is not on record is not claimed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trivium import tasks
from trivium.comparison.out import PATH, Comparison
from trivium.data.meta import Meta
from trivium.drawing import numbers
from trivium.evaluation.metrics import Evaluation, Seed
from trivium.runtime.folder import GRAPH, INT8, PROCESSORS
from trivium.serving.export import origin
from trivium.serving.export.record import Exported
from trivium.settings.told import markdown
from trivium.tasks import Task
from trivium.tasks.metric import Metric
from trivium.training.records import Trained

WORST = 3  # classes or tags that are named


@dataclass(frozen=True)
class Known:
    """What the card is made of. read: streams that make a difference;  about: `model.json`;  own: of the model's seed

    compared: None where it was compared with nothing.
    """

    root: Path
    made: Exported
    read: tuple[str, ...]
    about: Mapping[str, Any]
    trained: Trained
    meta: Meta
    task: Task
    own: Seed | None
    compared: Comparison | None

    @property
    def shown(self) -> Metric:
        return self.task.shown


def text(root: Path, made: Exported, read: tuple[str, ...], about: Mapping[str, Any], here: bool) -> str:
    """read: the streams that make a difference;  about: `model.json` of the model;  here: see `write.write`"""
    trained = Trained.read(root / "models" / made.strategy / "training.json")
    evaluated = Evaluation.found(root / "reports/evaluate" / made.strategy / "metrics.json")
    own = next((one for one in evaluated.seeds if one.seed == made.seed), None) if evaluated else None
    found = Comparison.found(root / PATH)
    known = Known(root, made, read, about, trained, Meta.read(root / "data/aligned/meta.json"), tasks.of(about["task"]),
                  own, found if found and _theirs(found, made.strategy, evaluated) else None)
    parts = {"What it is": _what(known), "How to use it": _use(known), "Data": _data(known),
             "How it was trained": _training(known), "How good it is": _good(known),
             "What it rests on, and what disturbs it": _robust(known), "Known failings": _failings(known),
             "How fast it answers": origin.speed(root, made.strategy, here),
             "What it cost": origin.cost(root, trained, here), "Licences": origin.licences(about, known.meta),
             "How to make it again": origin.again(root, made.strategy, here)}
    said = [f"## {title}\n\n" + "\n".join(lines) for title, lines in parts.items() if lines]
    return "\n\n".join([f"# {trained.title}: {markdown(known.meta.title or known.meta.source)}", *said]) + "\n"


def _theirs(found: Comparison, strategy: str, evaluated: Evaluation | None) -> bool:
    """Whether it is a comparison of these results: one that came with the repository, or of a run before, is not."""
    entry = found.strategies.get(strategy)
    if entry is None or evaluated is None or set(entry.seeds) != {str(one.seed) for one in evaluated.seeds}:
        return False
    return all(math.isclose(value, one.metrics[key], rel_tol=1e-4, abs_tol=1e-6) for one in evaluated.seeds
               for key, value in entry.seeds[str(one.seed)].items() if key in one.metrics)


def _what(known: Known) -> list[str]:
    some = " Any of them may be missing." if len(known.read) > 1 else ""
    lines = [f"A model that reads {_listed(list(known.read))} and answers with {known.task.gives}.{some}", "",
             f"Strategy `{known.made.strategy}` ({known.trained.strategy}, from the recipe `{known.trained.start}`), "
             f"seed {known.made.seed}: of all seeds the one with the lowest validation NLL. Trivium exported it."]
    if known.compared and known.compared.verdict.recommended == known.made.strategy:
        lines += ["", f"> {markdown(known.compared.verdict.sentence)} {markdown(known.compared.verdict.reason)}"]
    elif known.compared:
        lines += ["", "It is not what the comparison recommends, which says: "
                  f"{markdown(known.compared.verdict.sentence)}"]
    return lines


def _use(known: Known) -> list[str]:
    smoke, small = known.made.smoke, known.made.int8
    lines = ["```sh", "pip install -r requirements.txt   # no torch",
             "python -m trivium.runtime . new-rows.csv --out answers.csv",
             f"python -m trivium.runtime . --{known.read[0]} VALUE", "```", "",
             f"`{GRAPH}` ({numbers.memory(known.made.bytes)}) is the model, `{PROCESSORS}` says what raw values go "
             "through before it, and `trivium/` is the code that answers: type the commands in this folder."]
    if smoke:
        lines.append(f"On {smoke.rows} raw rows its answers differ from those of the trained model by "
                     f"{smoke.difference:.1e} at most.")
    if small:
        metric = known.task.metrics[small.metric]
        lines.append(f"`{INT8}` ({numbers.memory(small.bytes)}; add `--int8`) computes with 8 bits: on {small.rows:,} "
                     f"test rows its {metric.words} is {metric.value(small.after)}, where the whole graph has "
                     f"{metric.value(small.before)}; {numbers.percent(small.same)} of its predictions are the same.")
    return lines + ([known.made.refused] if known.made.refused else [])


def _data(known: Known) -> list[str]:
    lines = [known.meta.card.replace("\n", " ")] if known.meta.card else []
    if known.own:
        lines += ["", f"This model learned from {known.own.n_train:,} rows and was tested on {known.own.n:,}."]
    if known.compared:
        data, rules = known.compared.dataset, known.compared.settings
        spans = f" Rows of one group never span train and test ({data.groups:,} groups)." if data.groups else ""
        lines += [f"The data were split {rules.seeds} times ({rules.split}), once for each seed.{spans}"]
    return lines


def _training(known: Known) -> list[str]:
    trained = known.trained
    seed = next(one for one in trained.seeds if one.seed == known.made.seed)
    lines = [f"- Encoders: {_listed([f'`{entry}` for {s}' for s, entry in trained.recipe.encoders.items()])}.",
             f"- Compute: {numbers.flops(seed.flops.total)} of a budget of {numbers.flops(seed.flops.budget)}, "
             f"{numbers.flops(seed.flops.pretrain)} of it for the components.",
             f"- Parameters: {seed.parameters.total:,}, of which {seed.parameters.trained:,} were trained."]
    if trained.recipe.objectives:
        lines.insert(1, f"- The components were trained before: {_listed(trained.recipe.objectives)}.")
    if trained.fusion:
        lines.insert(1, f"- Fusion: {trained.fusion['name']}.")
    if trained.recipe.published:
        lines.append(f"- Published weights read {_listed(trained.recipe.published)} ({trained.recipe.external}); what "
                     "went into them is in no budget.")
    return lines


def _good(known: Known) -> list[str]:
    if known.compared is None and known.own is None:
        return ["It was not evaluated."]
    if known.compared is None:
        assert known.own is not None
        return [f"On its own test set: {_own(known, known.own)}. There is no comparison with others of these data yet: "
                "`make repro` makes it."]
    entry, compared = known.compared.strategies[known.made.strategy], known.compared
    level = f"{100 * compared.settings.confidence:g} % interval"
    lines = [f"Mean over {compared.settings.seeds} seeds, on test sets that no training saw:", "",
             f"| metric | mean | {level} | always “{markdown(str(compared.constant.label))}” |", "|---|---|---|---|"]
    for key, metric in compared.metrics.items():
        if span := entry.metrics.get(key):
            constant = compared.constant.metrics.get(key)
            lines.append(f"| {metric.words} | {metric.value(span.mean)} | {metric.number(span.low)} to "
                         f"{metric.value(span.high)} | {'' if constant is None else metric.value(constant)} |")
    if known.own:
        lines += ["", f"The model in this folder, on the test set of its seed: {_own(known, known.own)}."]
    return lines


def _own(known: Known, own: Seed) -> str:
    keys = (known.task.primary, *known.task.beside)
    return ", ".join(known.task.metrics[key].level(own.metrics[key]) for key in keys if key in own.metrics)


def _robust(known: Known) -> list[str]:
    if known.own is None:
        return []
    shown, lines = known.shown, []
    if len(known.own.subsets) > 1:
        lines += [f"With some of the streams alone ({shown.words}):", "", "| streams | test |", "|---|---|"]
        lines += [f"| {name.replace('+', ', ')} | {shown.value(one.score)} |"
                  for name, one in sorted(known.own.subsets.items(), key=lambda pair: -pair[1].score)]
    robustness = known.own.robustness
    noise = [f"{s} from {shown.value(one.score[0])} to {shown.value(one.score[-1])}"
             for s, one in (robustness.corruption if robustness else {}).items()]
    if noise:
        lines += ["", f"When a stream becomes pure noise, {shown.words} goes with {_listed(noise)} (on a part of the "
                  "test set)."]
    attacks = [f"{shown.value(list(one.pgd.values())[-1])} ({s})"
               for s, one in (robustness.attacks if robustness else {}).items() if one.pgd]
    if attacks:
        lines += [f"Attacked on purpose (projected gradient descent, the strongest that was tried), {shown.words} "
                  f"becomes {_listed(attacks)}."]
    return lines


def _failings(known: Known) -> list[str]:
    if known.own is None:
        return []
    lines = []
    keys = [key for key in ("f1", "r2") if all(key in row for row in known.own.table.values())]
    rows = sorted(known.own.table.items(), key=lambda pair: pair[1][keys[0]]) if keys else []
    if len(rows) > 1:
        head = {"f1": "F1", "r2": "R²"}[keys[0]]
        worst = [f"{markdown(name)} ({head} {row[keys[0]]:.2f})" for name, row in rows[:WORST]]
        lines.append(f"- It does worst on {_listed(worst)}.")
    if "ece" in known.own.metrics:
        lines.append(f"- The probabilities that it states are off by {numbers.percent(known.own.metrics['ece'])} on "
                     "average.")
    weak = min(known.own.subsets.items(), key=lambda pair: pair[1].score, default=None)
    if weak and len(known.own.subsets) > 1:
        lines.append(f"- With {weak[0].replace('+', ' and ')} alone it has {known.shown.level(weak[1].score)}.")
    lines.append("- Rows that are unlike those it learned from were not tried, unless they are named above; nor was "
                 "whether it is fair to groups of people.")
    return lines


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
