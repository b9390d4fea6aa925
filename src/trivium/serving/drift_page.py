"""The page of `trivium drift`: of each statistic, its distribution in the reference beside that in the log."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trivium.runtime.statistics.reference import Sketch
    from trivium.serving.drift import Compared

WIDTH, HEIGHT, FOOT = 640, 150, 34  # pixels of a plot, and of the words below its bars
MOST = 12  # bins that have words of their own below them
STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --quiet: #5c5c5c; --page: #fff; --line: #d4d4d4; --log: #0072b2;
  --reference: #9aa5ad; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --quiet: #a9a9a9; --page: #17191b; --line: #3b3f43; --log: #56b4e9; --reference: #6b757d; }
}
body { margin: 2rem auto; max-width: 44rem; padding: 0 1rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 0; } p { margin: .3rem 0; }
.quiet { color: var(--quiet); } .key i { display: inline-block; width: .8rem; height: .8rem; margin: 0 .35rem 0 0; }
.key i + i, .key .log { margin-left: 1rem; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--quiet); font-size: 11px; }
.log { fill: var(--log); background: var(--log); } .reference { fill: var(--reference); background: var(--reference); }
details { margin-top: 2rem; } summary { cursor: pointer; font-size: 1.1rem; font-weight: 600; }
.axis { stroke: var(--line); }
"""


def text(found: Sequence[Compared], advice: str, rows: int) -> str:
    """The whole page; it asks for nothing from outside. advice: sentences, a line each"""
    mark = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{mark}'; base-uri 'none'; form-action 'none'"
    parts = ["<!doctype html><html lang='en'><head><meta charset='utf-8'>",
             f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>Drift</title>',
             f"<style>{STYLE}</style>",
             f"</head><body><h1>{rows:,} rows of a log, beside what the model learned from</h1>",
             *(f"<p>{escape(line)}</p>" for line in advice.splitlines()),
             "<p class='key quiet'><i class='reference'></i>the model's data <i class='log'></i>the log. Bars are ",
             "shares of the rows that have the statistic, in percent; the farthest apart come first.</p>"]
    calm = [one for one in found if not one.drifts]
    parts += [_section(one) for one in found if one.drifts]
    if calm:
        parts += [f"<details><summary>{len(calm)} without drift</summary>", *map(_section, calm), "</details>"]
    return "".join([*parts, "</body></html>\n"])


def _section(one: Compared) -> str:
    chance = "below 0.001" if one.p < 0.001 else f"{one.p:.3f}"
    apart = "" if one.distance is None else f", D {one.distance:.2f}"
    return (f"<h2>{escape(one.where)}{': drift' if one.drifts else ''}</h2><p class='quiet'>PSI {one.psi:.2f}{apart}"
            f", p {chance}, {one.rows:,} rows</p>{_plot(one)}")


def _plot(one: Compared) -> str:
    """Bars in pairs, one pair a bin."""
    shares = [_shares(one.sketch.counts), _shares(one.counts)]
    kept = [k for k in range(len(one.counts)) if one.sketch.counts[k] or one.counts[k]]
    words, top = bins(one.sketch), max(max(own) for own in shares) or 1
    step = WIDTH / max(1, len(kept))
    wide, parts = min(0.36 * step, 60), []
    for place, k in enumerate(kept):
        middle = (place + 0.5) * step
        for side, (kind, own) in enumerate(zip(("reference", "log"), shares, strict=True)):
            tall = (HEIGHT - 18) * own[k] / top
            left = middle - wide * (1 - side)
            parts.append(f"<rect class='{kind}' x='{left:.1f}' y='{HEIGHT - tall:.1f}' width='{wide:.1f}' "
                         f"height='{tall:.1f}'><title>{escape(words[k])}: {100 * own[k]:.1f} %</title></rect>")
            if own[k] and len(kept) <= MOST:
                parts.append(f"<text x='{left + wide / 2:.1f}' y='{HEIGHT - tall - 3:.1f}' text-anchor='middle'>"
                             f"{100 * own[k]:.0f}</text>")
        if len(kept) <= MOST and one.sketch.names:
            parts.append(_words(middle, words[k][:14]))
        elif place and len(kept) <= MOST:  # numbers: what parts a bin from the one before
            parts.append(_words(place * step, f"{one.sketch.edges[k - 1]:.3g}"))
    return (f"<svg viewBox='0 0 {WIDTH} {HEIGHT + FOOT}' role='img' aria-label='{escape(one.where, True)}'>"
            f"{''.join(parts)}<line class='axis' x1='0' x2='{WIDTH}' y1='{HEIGHT}' y2='{HEIGHT}'/></svg>")


def _words(x: float, said: str) -> str:
    return f"<text x='{x:.1f}' y='{HEIGHT + 14}' text-anchor='middle'>{escape(said)}</text>"


def _shares(counts: Sequence[int]) -> list[float]:
    return [count / max(1, sum(counts)) for count in counts]


def bins(sketch: Sketch) -> list[str]:
    """What each bin holds: a word, or a range of numbers."""
    if sketch.names:
        return [*sketch.names, "others"]
    ends = [f"{edge:.3g}" for edge in sketch.edges]
    if not ends:
        return ["all"]
    middle = [low if low == high else f"{low}–{high}" for low, high in pairwise(ends)]
    return [f"< {ends[0]}", *middle, f"> {ends[-1]}"]
