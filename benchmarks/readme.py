"""What the README and docs/cost.md show of the default run, made from reports/comparison.json: picture and tables.

    make setup && PYTHONPATH=src .venv/bin/python -m benchmarks.readme
"""

from __future__ import annotations

import re
from pathlib import Path

from trivium.comparison.figures import result
from trivium.comparison.out import PATH, Comparison, Strategy
from trivium.drawing import numbers

ROOT = Path(__file__).resolve().parent.parent
README, COSTS = (ROOT / name for name in ("README.md", "docs/cost.md"))
LIGHT, DARK = ROOT / "docs/figures/result.svg", ROOT / "docs/figures/result-dark.svg"
NIGHT = {'"white"': '"#0d1117"', '"#222222"': '"#e6edf3"', '"#59636e"': '"#9198a1"', '"#e2e6ea"': '"#2b3138"',
         '"#4d4d4d"': '"#c9d1d9"'}  # the colours of a page, of words and lines, and the one hue that is lost on black
WAYS = ("pretrain each component, then fuse", "something simple", "train end to end", "take published weights")


def pictures(comparison: Comparison) -> dict[Path, str]:
    """What each file holds."""
    light = result(comparison)
    return {LIGHT: light, DARK: re.sub("|".join(map(re.escape, NIGHT)), lambda found: NIGHT[found[0]], light)}


def answer(comparison: Comparison) -> str:
    """The verdict, and a line for each way of the README's question: the best strategy that goes it."""
    best: dict[str, Strategy] = {}
    for name in comparison.order:
        entry = comparison.strategies[name]
        best.setdefault(_way(name, entry, comparison.settings.reference), entry)
    lines = [f"> {comparison.verdict.sentence}", "",
             "| way | its best strategy | test accuracy | training compute |", "|---|---|---|---|"]
    for way, entry in best.items():
        span = entry.metrics["accuracy"]
        reach = f"{100 * span.mean:.1f} % ({100 * span.low:.1f} to {100 * span.high:.1f})"
        lines.append(f"| {way} | {entry.title} | {reach} | "
                     f"{_flops(entry)} |")
    return "\n".join(lines)


def _way(name: str, entry: Strategy, reference: str) -> str:
    recipe = entry.recipe
    return WAYS[1 if name == reference else 0 if recipe.objectives else 3 if recipe.published else 2]


def costs(comparison: Comparison) -> str:
    """A line for each strategy, best first: what it takes per seed."""
    lines = ["| strategy | training compute | of the budget | parameters | of these trained |", "|---|---|---|---|---|"]
    for entry in (comparison.strategies[name] for name in comparison.order):
        cells = [entry.title, _flops(entry), f"{100 * entry.over_budget:.0f} %",
                 numbers.whole(entry.parameters.total), numbers.whole(entry.parameters.trained)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _flops(entry: Strategy) -> str:
    return numbers.flops(entry.flops).replace(numbers.SPACE, " ")


def filled(page: str, made: str) -> str:
    """`page` with what was made of the comparison in its place."""
    return re.sub(r"(<!-- made by benchmarks\.readme -->\n).*?(?=\n<!-- end -->)", lambda found: found[1] + made, page,
                  flags=re.S)


def pages(comparison: Comparison) -> dict[Path, str]:
    """What each page holds."""
    return {path: filled(path.read_text(encoding="utf-8"), made(comparison))
            for path, made in ((README, answer), (COSTS, costs))}


if __name__ == "__main__":
    known = Comparison.read(ROOT / PATH)
    for path, content in (pictures(known) | pages(known)).items():
        path.write_text(content, encoding="utf-8")
