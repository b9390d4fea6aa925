"""How many planted near-duplicates of made pictures and sounds are found, and how many distinct ones are taken for
some: these rows of the table in docs/looking-at-data.md.

    python -m benchmarks.alike
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tests.data import alike_media as made
from trivium.data.alike import audio, image
from trivium.data.settings import Near

PLANTED, DISTINCT = 300, 900


def pairs(part: ModuleType, files: Iterable[str], root: str, least: float) -> np.ndarray:
    prints = [part.print_of(name, root, None, None) for name in files]
    there = np.flatnonzero([one is not None for one in prints])
    return there[part.pairs(np.stack([prints[k] for k in there]), least)]


def measure(words: str, part: ModuleType, least: float, make: Callable[[int], Any],
            changes: Mapping[str, Callable[[Any, int], Any]], save: Callable[[Any, Path], str], ending: str) -> None:
    with tempfile.TemporaryDirectory() as root:
        own = [save(make(i), Path(root) / f"{i}{ending}") for i in range(DISTINCT)]
        for change, apply in changes.items():
            copies = [save(apply(make(i), i), Path(root) / f"copy{i}{ending}") for i in range(PLANTED)]
            tied = pairs(part, own[:PLANTED] + copies, root, least)
            print(f"{words}, {change}: {(tied[:, 1] - tied[:, 0] == PLANTED).sum()} of {PLANTED}", flush=True)
        print(f"distinct, {words}: {len(pairs(part, own, root, least))} pairs of {DISTINCT}", flush=True)


def alone(change: Callable[[Any], Any], one: Any, _: int) -> Any:
    return change(one)


def main() -> None:
    least = Near()
    changed = {name: partial(alone, change) for name, change in made.PICTURES.items()}
    for words, make in (("picture", made.picture), ("picture on a white page", made.on_a_page)):
        measure(words, image, least.image or 1, make, changed, made.save_picture, ".png")
    for words, played in (("sound", made.sound), ("drum hit", made.hit)):
        measure(words, audio, least.audio or 1, played, made.SOUNDS, made.save_sound, ".wav")


if __name__ == "__main__":
    main()
