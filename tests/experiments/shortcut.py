"""Manifests of texts from three sites, with a known answer: whether the site matters."""

from __future__ import annotations

from pathlib import Path

import numpy as np

CUES = ("amber", "bold", "calm", "dusk")


def write(path: Path, shortcut: bool, rows: int = 361, weak: float = 0.65) -> None:
    """`path`: rows of the sites west (the largest), north and south, in turn, of the classes a and b, a fair coin each.

    Every text has a word that tells the class in `weak` (0-1) of the rows, whatever the site. shortcut: whether it has
    another that always tells it at north and south, and tells the opposite at west.
    """
    rng = np.random.default_rng(0)
    lines = ["id,label,domain,text"]
    for row in range(rows):
        label, site = int(rng.integers(2)), ("west", "north", "south")[row % 3]
        cue = label if rng.random() < weak else 1 - label
        sign = label if site != "west" else 1 - label
        words = [CUES[cue], CUES[2 + sign] if shortcut else "plain", f"w{rng.integers(8)}", f"w{rng.integers(8)}"]
        lines.append(f"r{row:04},{'ab'[label]},{site},{' '.join(words)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
