"""params.yaml as one typed object, made of the settings that stand beside what they set.

What names a file of ours (an encoder, a fusion, an objective) is looked at only when it is asked for, since those files
import torch; `check` looks at everything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from trivium import modalities, strategies
from trivium.comparison import settings as comparison
from trivium.data import clock_settings, streams
from trivium.data.settings import Align, Data, Split, Validate
from trivium.evaluation import settings as evaluation
from trivium.machine import files
from trivium.machine.vault.settings import Encryption
from trivium.settings import parts
from trivium.settings.base import Section
from trivium.settings.errors import UserError
from trivium.training import needs, recipes
from trivium.training import settings as training

if TYPE_CHECKING:
    from trivium.encoders import Described
    from trivium.strategies import Entry
    from trivium.tasks import Task
    from trivium.training.needs import Read
    from trivium.training.recipes import Recipe

OLD = ("fuse", "end_to_end", "strategy", "preprocess")  # sections of the form before there were recipes
NEW_FORM = """{name} is in a form that Trivium no longer reads. Now every part has one entry, whose name is yours:
  encoder:   {{words: {{modality: text, architecture: cnn, width: 64, processor: {{length: 24, vocab: 256}}}}}}
  pretrain:  {{scratch: {{encoders: {{text: words}}}}, selfsup: {{encoders: {{text: words}}, objective: masked}}}}
  train:     {{end_to_end: {{start: scratch, strategy: joint}}, frozen: {{start: selfsup, strategy: frozen}}}}
`preprocess` went into each encoder's `processor`, `fuse`, `end_to_end` and `strategy` into `train`, and the settings of
the training loop are called `loop`. Take the params.yaml of the repository and carry your values over."""
NEW_STREAMS = """{name} names the data in a form that Trivium no longer reads. Now every stream has one entry, whose
name is yours, and there may be several of one modality:
  data:
    streams: {{photo: {{modality: image, column: img}}, scan: {{modality: image}}, title: {{modality: text}}}}
`data.modalities` and `data.manifest.text`, `image` and `audio` went into it: `column` is that of your table (where it
is left out, the name of the stream). Write your streams so; `trivium use` then looks for more in your data."""


class Params(Section):
    """encoder, pretrain, train: the entries as they are written; `encoders`, `recipes`, `entries`: checked."""

    seeds: Annotated[int, Field(ge=2, le=100)]
    task: str | dict[str, Any] = "classification"
    data: Data
    validate_: Validate = Field(alias="validate")
    align: Align
    split: Split
    encoder: dict[str, dict[str, Any]]
    pretrain: dict[str, dict[str, Any]]
    budget: training.Budget
    loop: training.Loop
    tune: training.Tune = training.Tune()
    train: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]
    evaluate: evaluation.Settings
    compare: comparison.Settings
    budgets: comparison.Budgets = comparison.Budgets()
    encryption: Encryption = Encryption()

    @property
    def streams(self) -> dict[str, str]:
        """Stream -> modality, in the order of the data."""
        return {name: stream.modality for name, stream in self.data.streams.items()}

    @property
    def kind(self) -> type[Task]:
        """The sort of task. Raises: UserError."""
        from trivium import tasks  # imports numpy

        return tasks.chosen(self.task)[0]

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """The strategies, in the order of params.yaml. Raises: UserError."""
        found = strategies.entries(self.train)
        return found | {name: replace(one, title=f"{one.title} (no published weights here)")
                        for name, one in found.items() if self.lacks_weights(one.start)}

    def lacks_weights(self, recipe: str) -> bool:
        """Whether a recipe names published weights, but none for any stream of this data: its strategies would be
        called after what they do not have.
        """
        named = self.pretrain.get(recipe, {}).get("encoders")
        if not isinstance(named, Mapping):  # `recipes` says what it should be
            return False
        used = [named.get(stream, named.get(modality)) for stream, modality in self.streams.items()]
        published = [entry for entry in named.values() if "weights" in self.encoder.get(str(entry), {})]
        return bool(published) and not any(entry in used for entry in published)

    @cached_property
    def encoders(self) -> dict[str, Described]:
        """The encoders that any recipe uses. Raises: UserError."""
        from trivium.encoders import describe

        used = {entry for name in self.pretrain for entry in self.read_by(name).values()}
        return {name: describe(name, self.encoder[name]) for name in self.encoder if name in used}

    def read_by(self, recipe: str) -> dict[str, str]:
        """Stream -> entry of `encoder`. Raises: UserError."""
        return recipes.encoders(recipe, self.pretrain[recipe], self.streams, list(self.encoder))

    def reads(self, recipe: str) -> dict[str, Read]:
        """Stream -> who reads it, and what that encoder gives. Raises: UserError."""
        from trivium import encoders
        from trivium.training.needs import Read

        found = {stream: (entry, self.encoders[entry]) for stream, entry in self.read_by(recipe).items()}
        return {stream: Read(entry, described.weights or described.architecture, encoders.gives(described),
                             bool(described.weights))
                for stream, (entry, described) in found.items()}

    def recipe(self, name: str) -> Recipe:
        """Raises: UserError (no such recipe; settings that are unknown or out of range)."""
        if name not in self.pretrain:
            raise UserError(f"params.yaml: there is no recipe `{name}` under `pretrain`; "
                            f"{parts.nearest(name, self.pretrain)}")
        return recipes.recipe(name, self.pretrain[name], self.streams, list(self.encoder))


def load(path: str | Path = "params.yaml") -> Params:
    """The settings in `path`.

    Raises:
        UserError: the file is missing, is not YAML, or has an unknown key or a value out of range.
    """
    from ruamel.yaml import YAML, YAMLError

    try:
        raw = YAML(typ="safe").load(files.text(path))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist here ({Path.cwd()}). Run from the root of the repository.") from None
    except YAMLError as error:
        raise unreadable(path, error) from None
    return parse(raw, str(path))


def unreadable(path: str | Path, error: Exception) -> UserError:
    """What is said of a file that is no YAML. error: ruamel's."""
    if twice := re.match(r'found duplicate key "(.*?)"', str(getattr(error, "problem", ""))):
        line = error.problem_mark.line + 1  # type: ignore[attr-defined]
        return UserError(f"{path}: the key `{twice[1]}` stands there twice, the second time in line {line}.")
    return UserError(f"{path} is not valid YAML: {error}")


def parse(raw: Any, name: str = "params.yaml") -> Params:
    """Typed settings from plain ones; `name` is used in messages. Raises: UserError."""
    refuse_empty(raw, name)
    refuse_old(raw, name)
    try:
        params = Params.model_validate(raw)
    except ValidationError as error:
        raise UserError("\n".join(parts.explain(Params, error, "", name))) from None
    if wrong := _names(params):
        raise UserError("\n".join(f"{name}: {one}" for one in wrong))
    for recipe in params.pretrain:
        params.read_by(recipe)
    needs.check_loop(params.loop, params.kind, params.entries)
    metric, known = params.compare.metric, params.kind.ranks
    if metric not in ("auto", *known):
        raise UserError(f"{name}: `compare.metric`: {params.kind.name} is not ranked by `{metric}`; "
                        f"{parts.nearest(metric, ('auto', *known))}")
    return params


def refuse_empty(raw: Any, name: str = "params.yaml") -> None:
    """Raises: UserError where there are no settings."""
    if raw is None:
        raise UserError(f"{name} is empty. `git checkout {name}` brings it back.")


def refuse_old(raw: Any, name: str = "params.yaml") -> None:
    """Raises: UserError, which says what the new form is."""
    if not isinstance(raw, Mapping):
        return
    if any(key in raw for key in OLD):
        raise UserError(NEW_FORM.format(name=name))
    data = raw.get("data")
    manifest = data.get("manifest") if isinstance(data, Mapping) else None
    columns = manifest if isinstance(manifest, Mapping) else {}
    if isinstance(data, Mapping) and ("modalities" in data or any(m in columns for m in modalities.names())):
        raise UserError(NEW_STREAMS.format(name=name))
    entries = raw.get("train")
    for key, value in entries.items() if isinstance(entries, Mapping) else ():
        if isinstance(value, int | float):
            raise UserError(f"{name}: `train.{key}` is no strategy (got {value!r}). `train` has an entry for each "
                            "strategy, such as {start: scratch, strategy: joint, lr: 0.003}; the settings of the "
                            "training loop are under `loop`, and epochs under `budget`.")


def check(params: Params) -> None:
    """Look at every encoder, recipe and fusion. Raises: UserError."""
    from trivium import encoders

    for name, entry in params.encoder.items():
        if name not in params.encoders:
            encoders.check_spelling(name, entry)
    for name in params.pretrain:
        check_recipe(params, name)
    for name in params.entries:
        check_entry(params, name)


def check_recipe(params: Params, name: str) -> None:
    """Look at one recipe and its encoders. Raises: UserError."""
    from trivium.machine import packages

    recipe, reads = params.recipe(name), params.reads(name)
    for stream, entry in recipe.encoders.items():
        described = params.encoders[entry]
        packages.require(described.weights)
        if described.modality != params.streams[stream]:
            raise UserError(f"params.yaml: `pretrain.{name}.encoders.{stream}`: `{entry}` reads "
                            f"{described.modality}, and {stream} is {params.streams[stream]}.")
    needs.check_recipe(recipe, reads)


def check_entry(params: Params, name: str) -> None:
    """Look at one entry of `train` and the recipe that it starts from. Raises: UserError."""
    from trivium import encoders
    from trivium.training.strategy import chosen_fusion

    one = params.entries[name]
    check_recipe(params, one.start)
    needs.check_entry(one, params.recipe(one.start), params.reads(one.start))
    read_by = {stream: params.encoders[entry] for stream, entry in params.read_by(one.start).items()}
    if one.plan.student is not None:
        read_by = needs.students(one, read_by)
    if chosen := chosen_fusion(one):
        needs.check_fusion(name, chosen, {stream: encoders.width(described) for stream, described in read_by.items()})
    if one.plan.combine == "prompts":
        needs.check_prompts(one, params.recipe(one.start), params.streams, params.kind.name)


def warnings(params: Params) -> list[str]:
    """What can be run and makes little sense, a sentence each."""
    augmented = params.loop.augment if isinstance(params.loop.augment, dict) else {}
    idle = [f"params.yaml: `loop.augment.{modality}` changes nothing: no stream of `data.streams` is {modality}."
            for modality in augmented if modality not in params.streams.values()]
    used = {one.start for one in params.entries.values()}
    if spare := [f"`{name}`" for name in params.pretrain if name not in used]:
        idle.append(f"params.yaml: no strategy starts from {', '.join(spare)} under `pretrain`, and a run trains "
                    f"{'it' if len(spare) == 1 else 'them'} all the same. Take {'it' if len(spare) == 1 else 'them'} "
                    "out to save the time.")
    idle += [f"params.yaml: `train.{one.name}` starts from `{one.start}`, which has no encoder with `weights` for "
             f"{', '.join(params.streams)}: it is no test of published weights here"
             + (f", and the same as `train.{twin}`" if twin else "") + ". Take it out, or name one (docs/encoders.md)."
             for one in params.entries.values() if params.lacks_weights(one.start) for twin in [_twin(params, one)]]
    return idle + streams.warnings(params.data) + [words for one in params.entries.values()
                   for words in needs.warnings(one, params.recipe(one.start), params.reads(one.start))]


def _twin(params: Params, one: Entry) -> str:
    """Another strategy that does the same with the same encoders; "" where there is none."""
    return next((other.name for other in params.entries.values() if other.name != one.name
                 and (other.strategy, other.settings) == (one.strategy, one.settings)
                 and params.read_by(other.start) == params.read_by(one.start)), "")


def _names(params: Params) -> list[str]:
    """What is wrong with names, and with what they point to."""
    wrong = []
    named = {section: getattr(params, section) for section in ("encoder", "pretrain", "train")}
    for section, entries in ({"data.streams": params.data.streams} | named).items():
        wrong += [f"`{section}.{name}`: {parts.NAME}." for name in entries
                  if not re.fullmatch(r"[a-z][a-z0-9_]*", str(name))]
    wrong += [f"`train.{name}.start`: there is no recipe `{entry.get('start')}` under `pretrain`; "
              f"{parts.nearest(str(entry.get('start')), params.pretrain)}"
              for name, entry in params.train.items() if "start" in entry and entry["start"] not in params.pretrain]
    wrong += [f"an entry of `train` cannot be called `{name}`: choose another name."
              for name in ("pretrain", "updates", "together") if name in params.train]
    if params.budget.flops is None and params.budget.of not in params.train:
        wrong.append(f"`budget.of`: there is no entry `{params.budget.of}` under `train`; "
                     f"{parts.nearest(params.budget.of, params.train)}")
    if params.compare.reference not in ("", *params.train):
        wrong.append(f"`compare.reference`: there is no entry `{params.compare.reference}` under `train`; "
                     f"{parts.nearest(params.compare.reference, params.train)}")
    return wrong + streams.wrong(params.data) + clock_settings.wrong(params.data, params.align)
