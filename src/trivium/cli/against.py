"""`trivium show --against COMMIT`: what a change does to the comparison, as Markdown for a pull request."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from trivium.comparison.out import PATH, Comparison, Strategy
from trivium.settings.errors import UserError
from trivium.settings.told import markdown
from trivium.tasks.metric import Metric


def against(root: Path, commit: str) -> str:
    """The present comparison beside that of `commit`: both verdicts, and a row per strategy, best first.

    Raises: UserError (git knows no such commit; there is no comparison there, or none here).
    """
    now = Comparison.found(root / PATH)
    if now is None:
        raise UserError("There is no comparison here yet: `dvc repro` makes one.")
    if _git(root, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}") is None:
        raise UserError(f"git knows no commit `{commit}`. Fetch it (`git fetch origin`), or name another one.")
    text = _git(root, "show", f"{commit}:./{PATH}")
    if text is None:
        return "\n".join([_first(commit), "", f"**Now:** {markdown(now.verdict.sentence)}", "",
                          "There was no comparison yet.", "", *_table(now, None)])
    before = Comparison.checked(json.loads(text), f"The comparison of {commit}")
    lines = [_first(commit), "", f"**Before:** {markdown(before.verdict.sentence)}", "",
             f"**Now:** {markdown(now.verdict.sentence)}", ""]
    if before.dataset.task != now.dataset.task or before.metric != now.metric:
        return "\n".join([*lines, "The task or the metric is another one: rows do not compare.", "",
                          *_table(now, None)])
    if before.mark == now.mark:
        return "\n".join([*lines, "No result has changed."])
    return "\n".join([*lines, *_table(now, before)])


def _first(commit: str) -> str:
    return f"### The comparison, against {commit}"


def _table(now: Comparison, before: Comparison | None) -> list[str]:
    metric = now.ranks
    name = metric.head or metric.words
    old = before.strategies if before else {}
    rows = [f"| strategy | before: {name} | now | change |", "|---|--:|--:|--:|"]
    for key in now.order:
        rows.append(_row(metric, now.strategies[key], old.get(key)))
    gone = [one for key, one in old.items() if key not in now.strategies]
    rows += [f"| {markdown(one.title)} | {_span(metric, one)} | gone | |" for one in gone]
    return [*rows, "", f"In brackets: the {100 * now.settings.confidence:g} % interval. A change within both intervals "
            "may be chance."]


def _row(metric: Metric, now: Strategy, before: Strategy | None) -> str:
    if before is None:
        return f"| {markdown(now.title)} | new | {_span(metric, now)} | |"
    moved = now.metrics[metric.key].mean - before.metrics[metric.key].mean
    change = metric.number(moved, sign=True)
    return f"| {markdown(now.title)} | {_span(metric, before)} | {_span(metric, now)} | {change} |"


def _span(metric: Metric, one: Strategy) -> str:
    found = one.metrics[metric.key]
    return f"{metric.value(found.mean)} ({metric.number(found.low)} to {metric.number(found.high)})"


def _git(root: Path, *words: str) -> str | None:
    """What git says; None where it refuses."""
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True)
    return None if done.returncode else done.stdout
