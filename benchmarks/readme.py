"""The README's picture, in a light and a dark version, and its verdict and table: from reports/comparison.json.

    make setup && PYTHONPATH=src .venv/bin/python -m benchmarks.readme
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trivium.comparison.figures import result
from trivium.drawing import numbers

ROOT = Path(__file__).resolve().parent.parent
README, COMPARISON = ROOT / "README.md", ROOT / "reports/comparison.json"
LIGHT, DARK = ROOT / "docs/figures/result.svg", ROOT / "docs/figures/result-dark.svg"
NIGHT = {'"white"': '"#0d1117"', '"#222222"': '"#e6edf3"', '"#59636e"': '"#9198a1"', '"#e2e6ea"': '"#2b3138"',
         '"#4d4d4d"': '"#c9d1d9"'}  # the colours of a page, of words and lines, and the one hue that is lost on black
WAYS = ("pretrain each component, then fuse", "something simple", "train end to end", "take published weights")


def pictures(comparison: Mapping[str, Any]) -> dict[Path, str]:
    """What each file holds."""
    light = result(comparison)
    return {LIGHT: light, DARK: re.sub("|".join(map(re.escape, NIGHT)), lambda found: NIGHT[found[0]], light)}


def answer(comparison: Mapping[str, Any]) -> str:
    """The verdict, and a line for each way of the README's question: the best strategy that goes it."""
    best: dict[str, Mapping[str, Any]] = {}
    for name, entry in sorted(comparison["strategies"].items(), key=lambda item: item[1]["rank"]):
        best.setdefault(_way(name, entry, comparison["settings"]["reference"]), entry)
    lines = [f"> {comparison['verdict']['sentence']}", "",
             "| way | its best strategy | test accuracy | training compute |", "|---|---|---|---|"]
    for way, entry in best.items():
        span = {key: f"{100 * entry['accuracy'][key]:.1f}" for key in ("mean", "low", "high")}
        lines.append(f"| {way} | {entry['title']} | {span['mean']} % ({span['low']} to {span['high']}) | "
                     f"{numbers.flops(entry['flops']).replace(numbers.SPACE, ' ')} |")
    return "\n".join(lines)


def _way(name: str, entry: Mapping[str, Any], reference: str) -> str:
    recipe = entry["recipe"]
    return WAYS[1 if name == reference else 0 if recipe["objectives"] else 3 if recipe["published"] else 2]


def filled(readme: str, comparison: Mapping[str, Any]) -> str:
    """The README with the answer in its place: from the quoted verdict to the end of the table."""
    return re.sub(r"^> .*\n\n(?:\|.*\n)+", lambda _: f"{answer(comparison)}\n", readme, count=1, flags=re.M)


if __name__ == "__main__":
    found = json.loads(COMPARISON.read_text(encoding="utf-8"))
    for path, picture in pictures(found).items():
        path.write_text(picture, encoding="utf-8")
    README.write_text(filled(README.read_text(encoding="utf-8"), found), encoding="utf-8")
