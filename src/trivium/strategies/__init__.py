"""One file per training strategy: what is trained when.

A strategy is declarative and free of torch: `trivium.training` runs its phases through the one loop. An entry of
`train` in params.yaml names the recipe that it starts from and the file, `strategy`; a variant is one more entry.
To add one, write `strategies/<name>.py` with a `TITLE`, a `Settings` and a `plan(settings)`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from trivium.settings import parts
from trivium.settings.errors import UserError
from trivium.strategies.base import Plan

SHARED = ("base",)


@dataclass(frozen=True)
class Entry:
    """An entry of `train`, checked. title: for people.  start: the recipe.  settings: all that makes it what it is."""

    name: str
    title: str
    start: str
    strategy: str
    settings: dict[str, Any]
    plan: Plan


def names() -> tuple[str, ...]:
    """Names of the strategy files."""
    return parts.names(sys.modules[__name__])


def entries(train: Mapping[str, Mapping[str, Any]]) -> dict[str, Entry]:
    """All entries of `train`, in order, with titles that differ: entries of one title say how they join streams, and
    where that is the same, their names. Raises: UserError.
    """
    found = {name: entry(name, raw) for name, raw in train.items()}
    titles = [one.title for one in found.values()]
    joined = {name: f"{one.title} ({joins})" if titles.count(one.title) > 1 and (joins := _joins(one)) else one.title
              for name, one in found.items()}
    told = list(joined.values())
    return {name: replace(one, title=joined[name] if told.count(joined[name]) == 1 else f"{one.title} ({name})")
            for name, one in found.items()}


def _joins(one: Entry) -> str:
    """The fusion, or the way to pool answers; empty where a strategy has neither."""
    fusion = parts.split(one.settings["fusion"], f"train.{one.name}.fusion")[0] if "fusion" in one.settings else ""
    return str(one.settings.get("way", fusion)).replace("_", " ")


def entry(name: str, raw: Mapping[str, Any]) -> Entry:
    """The entry `name`. Raises: UserError (no such strategy; settings that are unknown or out of range)."""
    where = f"train.{name}"
    parts.look_for("strategy", raw, where)
    if not isinstance(raw, Mapping) or not isinstance(raw.get("strategy"), str):
        raise UserError(f"params.yaml: `{where}` is a mapping such as {{start: scratch, strategy: joint}}; known "
                        f"strategies: {', '.join(names())}.")
    part = parts.get(sys.modules[__name__], raw["strategy"], "strategy", f"{where}.strategy")
    settings = parts.typed(part.Settings, raw, where)
    try:
        plan = part.plan(settings)
    except ValueError as error:
        raise UserError(f"src/trivium/strategies/{raw['strategy']}.py: {error}.") from None
    own = settings.model_dump(mode="json", exclude={"title", "start", "strategy"})
    if own.get("private", own) is None:  # what is not private is what it was before there was a choice
        del own["private"]
    return Entry(name, settings.title or part.TITLE.format(start=settings.start), settings.start, settings.strategy,
                 own, plan)


def changed(of: Entry, settings: Mapping[str, Any]) -> Entry:
    """The entry with other `settings`, by their keys in params.yaml: `lr`, or `fusion.rank` of its fusion."""
    own = {key: value for key, value in settings.items() if "." not in key}
    fusion = {key.removeprefix("fusion."): value for key, value in settings.items() if key not in own}
    raw = {"title": of.title, "start": of.start, "strategy": of.strategy} | of.settings | own
    if fusion:
        name, written = parts.split(raw["fusion"], f"train.{of.name}.fusion")
        raw["fusion"] = {"name": name} | written | fusion
    return entry(of.name, raw)


def needs_classifiers(strategy: str) -> bool:
    """Whether it combines, or learns from, the classifiers that a recipe with labels leaves."""
    return strategy in ("unimodal", "ensemble", "compress")
