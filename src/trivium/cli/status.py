"""What a person asks the project in a terminal: what would run, which models there are, what came out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.drawing import numbers
from trivium.machine import vault
from trivium.machine.measured import PLACE
from trivium.settings.errors import UserError
from trivium.training.records import Trained

if TYPE_CHECKING:
    from trivium.comparison.out import Comparison

REASONS = 4  # per stage that are told
WIDEST = 40  # signs of the constant answer in a table; a longer one stands below it


def status(root: Path) -> str:
    """Stages that `dvc repro` would run and why; which strategies are trained and evaluated. Raises: UserError."""
    from trivium import tasks
    from trivium.comparison.build import ranking
    from trivium.evaluation.metrics import Evaluation
    from trivium.params import load

    settings = load(root / "params.yaml")
    strategies = list(settings.train)
    lines = ["What `dvc repro` would do", *_pending(_dvc_status(root)), "", "Strategies"]
    width = max(map(len, strategies))
    for name in strategies:
        trained = Trained.of(name, root)
        words = f"trained ({len(trained.seeds)} seeds), not evaluated" if trained else "not trained yet"
        if trained and (lacking := trained.skipped):
            words = f"not begun: it needs {numbers.times(lacking.needed / lacking.budget)} times the budget"
        elif tested := Evaluation.of(name, root):
            metric, count = ranking(tasks.of(tested.task), settings.compare.metric), len(tested.seeds)
            mean = sum(seed.metrics[metric.key] for seed in tested.seeds) / count
            words = f"evaluated ({count} seeds), {metric.level(mean)} on test"
        lines.append(f"  {name:<{width}}  {words}")
    return "\n".join(lines)


def _dvc_status(root: Path) -> dict[str, list[Any]]:
    """Stage -> what changed, as DVC sees it. Raises: UserError."""
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    done = subprocess.run([sys.executable, "-m", "dvc", "status", "--json"], cwd=vault.real(root), env=environment,
                          capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"`dvc status` failed: {(done.stderr or done.stdout).strip()}")
    return json.loads(done.stdout or "{}")


def _pending(changes: dict[str, list[Any]]) -> list[str]:
    """What would run: one line for the stages that never did, one for those whose outputs are elsewhere, one for each
    other stage that has a reason."""
    if not changes:
        return ["  nothing: all outputs are up to date"]
    new, away, lines = [], [], []
    for stage, found in changes.items():
        reasons: list[str] = []
        hows = set()
        for change in found:
            if isinstance(change, str):
                reasons.append(change)  # "changed command", "always changed"
                hows.add(change)
            else:
                items = [(what, path, how) for what, paths in change.items() for path, how in paths.items()]
                reasons += [_reason(*item) for item in items]
                hows |= {how if isinstance(how, str) else "params" for *_, how in items}
        if any("params.yaml is new" in reason for reason in reasons):
            new.append(stage)
        elif "not in cache" in hows and hows <= {"not in cache", "deleted"}:
            away.append(stage)
        else:
            more = f"; and {len(reasons) - REASONS} more" if len(reasons) > REASONS else ""
            lines.append(f"  {stage}: {'; '.join(reasons[:REASONS])}{more}")
    told = {"never ran here": new, "outputs neither here nor in the cache (`dvc pull` may have them)": away}
    for words, stages in told.items():
        if stages:
            lines = [*textwrap.wrap(f"{words}: {', '.join(stages)}", 100, initial_indent="  ",
                                    subsequent_indent="    "), *lines]
    return [*lines, "  and the stages after these, where their inputs then differ"]


def _reason(what: str, path: str, how: Any) -> str:
    if isinstance(how, dict):  # of a params file: key -> what happened to it
        return f"{path}: {', '.join(how)} changed"
    kind = "output " if what == "changed outs" else ""
    words = {"deleted": "is missing", "not in cache": "is not in the cache (`dvc pull` may have it)", "new": "is new"}
    return f"{kind}{path} {words.get(how, 'changed')}"


def show(root: Path) -> str:
    """The verdict of the last comparison, its table, and where to look next. Raises: UserError."""
    from trivium.comparison.out import PATH, Comparison

    found = Comparison.found(root / PATH)
    if found is None:
        raise UserError(f"There is no comparison yet ({PATH}): run `make repro`, or `dvc repro`.")
    verdict, title = found.verdict, found.dataset.title
    lines = [f"Which way to train on {title}?" if title else "Which way to train?", "",
             *_wrapped(verdict.sentence), *_wrapped(verdict.reason), "",
             f"Measured on {found.dataset.test:,.0f} test rows, after training on {found.dataset.train:,.0f}; "
             f"{numbers.plural(found.settings.seeds, 'seed')}.", "",
             *_table(found)]
    from trivium.report import html

    if not html.refresh(root):  # git keeps comparison.json alone
        lines += ["", "These results came with the repository; no run here has come to its end yet: `make repro`."]
        return "\n".join(["", *lines, ""])
    if _unfinished(root):
        lines += ["", "note: `compare` did not come to its end since strategies were evaluated: `dvc repro` goes on."]
    lines += ["", "Where to look next",
              "  trivium decrypt reports/report.html /tmp/report.html      the whole story, in the clear"
              if vault.on(root) else
              "  reports/report.html      the whole story, in a browser, offline",
              "  make ui                  every run, curve and model in MLflow",
              "and, after `source .venv/bin/activate`,",
              "  dvc plots show           the curves;  dvc metrics diff: against the last commit"]
    if verdict.recommended:
        lines.append(f"  trivium predict {verdict.recommended} new-rows.csv      answers to new data")
    return "\n".join(["", *lines, ""])


def _wrapped(text: str) -> list[str]:
    """Lines of it, none of which ends between a number and its sign."""
    kept = text.replace(" %", "\N{NO-BREAK SPACE}%")
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in textwrap.wrap(kept, 100)]


def _unfinished(root: Path) -> bool:
    """Whether a strategy was evaluated after `compare` last came to its end."""
    measured = root / PLACE
    times = [path.stat().st_mtime for path in measured.glob("evaluate@*.json") if ".system" not in path.name]
    done = measured / "compare.json"
    return bool(times) and not (done.exists() and done.stat().st_mtime >= max(times))


def _table(found: Comparison) -> list[str]:
    """A line per strategy, best first, in the metric that ranks, with two beside it; and that of the constant."""
    from trivium import tasks

    metric, constant = found.ranks, found.constant.metrics
    entries = [found.strategies[name] for name in found.order]
    sure = f"{100 * found.settings.confidence:g} % interval"
    known = tasks.kind(found.dataset.task).always(metric, found.constant.label)
    knows = known if len(known) <= WIDEST else "constant answer"
    width = max(len(name) for name in (*(entry.title for entry in entries), knows))
    beside = [found.metrics[key] for key in found.beside if key != metric.key][:2]
    heads = [one.head or one.words for one in beside]
    rows = [[f"{'rank':>4}", "strategy", metric.head or metric.words, sure, *heads, "FLOPs", "failed"]]
    for entry in entries:
        span = entry.metrics[metric.key]
        between = f"{metric.number(span.low)} to {metric.number(span.high)}"
        rows.append([f"{entry.rank:>4}", entry.title, metric.value(span.mean), between,
                     *(one.value(entry.metrics[one.key].mean) for one in beside), f"{entry.flops:.2e}",
                     f"{100 * entry.failed_share:.0f} %"])
    rows.append(["", knows, metric.value(constant[metric.key]), "", *(one.value(constant[one.key]) for one in beside),
                 "", ""])
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    widths[1] = width
    lines = ["  ".join(cell.ljust(wide) if k == 1 else cell.center(wide) if k == 3 else cell.rjust(wide)
                       for k, (cell, wide) in enumerate(zip(row, widths, strict=True))).rstrip() for row in rows]
    return lines if knows == known else [*lines, *_wrapped(f"constant answer: {known}")]
