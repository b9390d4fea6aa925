"""What the comparison asks of the recipe that a strategy starts from: `recipe` in its metrics.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from trivium.comparison import reads
from trivium.comparison.verdict import listed
from trivium.data.readings import READS, Reads
from trivium.evaluation.metrics import Evaluation
from trivium.training.records import Started

LARGE = 0.1  # share of a stream that an encoder does not see: the verdict says so
STILL = ("frozen", "linear", "boosting", "selection", "prompts")  # strategies in which encoders do not move


def from_scratch(about: Evaluation) -> bool:
    """Whether a strategy trains everything end to end from random weights: the late fusion that others are held to."""
    return about.strategy == "joint" and not about.recipe.objectives and not about.recipe.published


def published(recipes: Mapping[str, Started]) -> dict[str, str]:
    """Strategy -> what is said of the published weights that it starts from, where it does."""
    return {name: _published(recipe) for name, recipe in recipes.items() if recipe.published}


def _published(recipe: Started) -> str:
    names = [f"{stream} (`{recipe.encoders[stream]}`)" for stream in recipe.published]
    which = f" ({recipe.external})" if recipe.external else ""
    return f"Its weights for {listed(names)} were published{which}; what went into them is in no budget here."


def unseen(metrics: Mapping[str, Evaluation], root: Path) -> str:
    """A sentence on the encoders that see much less than all of what they read; empty where there are none.

    root: of the project. An encoder that no model reads with is no matter.
    """
    found: dict[str, str] = {}
    for about in metrics.values():
        path, seen = root / READS / f"{about.start}.json", set().union(*reads.read(about))
        known = Reads.found(path)
        for stream, read in known.streams.items() if known else ():
            if stream in seen and read.cut and read.cut["lost"] >= LARGE:
                found[read.entry] = (f"`{read.entry}` does not see {100 * read.cut['lost']:.0f} % of the "
                                     f"{read.cut['unit']} of {stream} "
                                     f"(`encoder.{read.entry}.processor.{read.cut['setting']}`)")
    return f"Inputs are cut: {listed(list(found.values()))}." if found else ""
