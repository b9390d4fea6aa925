"""What the comparison asks of the recipe that a strategy starts from: `recipe` in its metrics.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trivium.comparison.verdict import listed

STILL = ("frozen", "linear")  # strategies in which encoders do not move


def from_scratch(about: Mapping[str, Any]) -> bool:
    """Whether a strategy trains everything end to end from random weights: the late fusion that others are held to.

    about: its metrics.json.
    """
    recipe = about["recipe"]
    return about["strategy"] == "joint" and not recipe["objectives"] and not recipe["published"]


def published(recipes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Strategy -> what is said of the published weights that it starts from, where it does."""
    return {name: _published(recipe) for name, recipe in recipes.items() if recipe["published"]}


def _published(recipe: Mapping[str, Any]) -> str:
    names = [f"{stream} (`{recipe['encoders'][stream]}`)" for stream in recipe["published"]]
    external = recipe.get("external", "")
    which = f" ({external})" if external else ""
    return f"Its weights for {listed(names)} were published{which}; what went into them is in no budget here."
