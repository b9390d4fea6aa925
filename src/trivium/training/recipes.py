"""A recipe: where a strategy's components come from. An entry of `pretrain` in params.yaml.

    scratch:    {encoders: {text: words, image: patches}}                       random weights, nothing spent
    supervised: {encoders: {...}, objective: supervised, share: 0.9, lr: 0.003}
    mixed:      {encoders: {...}, objective: {image: masked, text+audio: align}}  an objective per stream, or per group

Where a recipe has no objective for a stream, its weights stay as they came: random, or published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from trivium import modalities
from trivium.settings import parts
from trivium.settings.base import Positive, Section
from trivium.settings.errors import UserError


class Settings(Section):
    encoders: dict[str, str]  # stream, or modality for all its streams -> entry of `encoder`
    objective: str | dict[str, Any] | None = None
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5  # of the budget, over all streams
    lr: Positive = 3e-3  # peak learning rate
    published_lr: Positive = 3e-5  # that of encoders whose weights were published, which a larger one would destroy


@dataclass(frozen=True)
class Group:
    """Streams that an objective trains together. objective: see `objectives.chosen`; null: the weights stay."""

    streams: tuple[str, ...]
    objective: dict[str, Any] | None

    @property
    def name(self) -> str:
        return "+".join(self.streams)


@dataclass(frozen=True)
class Recipe:
    """encoders: stream -> entry of `encoder`, in the order of the streams."""

    name: str
    encoders: dict[str, str]
    groups: tuple[Group, ...] = field(default=())
    share: float = 0.5
    lr: float = 3e-3
    published_lr: float = 3e-5

    @property
    def objectives(self) -> list[str]:
        """The names of its objectives, each once."""
        return list(dict.fromkeys(group.objective["name"] for group in self.groups if group.objective))


def shares_space(group: Group) -> bool:
    """Whether its components come with maps to a space that they share: see `models.space`."""
    from trivium import objectives

    return group.objective is not None and getattr(objectives.get(group.objective["name"], "objective"), "SPACE", False)


def encoders(name: str, raw: Any, streams: Mapping[str, str], known: Sequence[str]) -> dict[str, str]:
    """Stream -> entry of `encoder`. streams: name -> modality;  known: the entries. Raises: UserError."""
    where = f"pretrain.{name}"
    parts.look_for("encoders", raw, where)
    if not isinstance(raw, Mapping) or not isinstance(raw.get("encoders"), Mapping):
        raise UserError(f"params.yaml: `{where}` is a mapping such as {{encoders: {{text: words}}}}.")
    given = raw["encoders"]
    for key, entry in given.items():
        if key not in (*streams, *modalities.names()):
            raise UserError(f"params.yaml: `{where}.encoders.{key}` is neither a stream of the data nor a modality; "
                            f"{parts.nearest(str(key), [*streams, *modalities.names()])}")
        if entry not in known:
            raise UserError(f"params.yaml: `{where}.encoders.{key}`: there is no encoder `{entry}` under `encoder`; "
                            f"{parts.nearest(str(entry), known)}")
    absent = [s for s, modality in streams.items() if s not in given and modality not in given]
    if absent:
        raise UserError(f"params.yaml: `{where}.encoders` names no encoder for {', '.join(absent)}.")
    return {s: given[s] if s in given else given[modality] for s, modality in streams.items()}


def recipe(name: str, raw: Any, streams: Mapping[str, str], known: Sequence[str]) -> Recipe:
    """The entry `name` of `pretrain`. Raises: UserError."""
    found, where = encoders(name, raw, streams, known), f"pretrain.{name}"
    settings = parts.typed(Settings, raw, where)
    return Recipe(name, found, _groups(settings.objective, list(streams), where), settings.share, settings.lr,
                  settings.published_lr)


def _groups(value: str | Mapping[str, Any] | None, streams: list[str], where: str) -> tuple[Group, ...]:
    from trivium import objectives

    where = f"{where}.objective"
    if value is None:
        return tuple(Group((s,), None) for s in streams)
    if isinstance(value, str) or "name" in value:
        chosen = objectives.chosen(value, where)
        if objectives.get(chosen["name"], where).TOGETHER:
            return (Group(tuple(streams), chosen),)
        return tuple(Group((s,), chosen) for s in streams)
    found, taken = [], list[str]()
    for key, one in value.items():
        members = str(key).split("+")
        for s in members:
            if s not in streams:
                raise UserError(f"params.yaml: `{where}`: there is no stream `{s}`; {parts.nearest(s, streams)}")
            if s in taken:
                raise UserError(f"params.yaml: `{where}` names {s} twice.")
            taken.append(s)
        chosen = objectives.chosen(one, f"{where}.{key}")
        together = objectives.get(chosen["name"], where).TOGETHER
        if together != (len(members) > 1):
            raise UserError(f"params.yaml: `{where}.{key}`: `{chosen['name']}` trains "
                            + (f"several streams together: name them as `{'+'.join(streams[:2])}`." if together else
                               "one stream at a time: give each its own line."))
        found.append(Group(tuple(s for s in streams if s in members), chosen))
    found += [Group((s,), None) for s in streams if s not in taken]
    return tuple(sorted(found, key=lambda group: streams.index(group.streams[0])))
