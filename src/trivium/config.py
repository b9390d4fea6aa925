"""params.yaml as typed, frozen objects; an unknown key is an error that names the nearest known one."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, create_model, model_validator

from trivium.modalities import names
from trivium.settings.base import Count, Positive, Section, Share
from trivium.settings.errors import UserError

Modality = str
World = Literal["redundant", "dominant", "unique", "synergy", "mixed"]


# One string per file in trivium.modalities: adding a modality is adding a file.
_columns: dict[str, Any] = {m: (str, ...) for m in names()}
PerModality: Any = create_model("PerModality", __base__=Section, **_columns)


class Digits(Section):
    world: World
    samples: Annotated[int, Field(ge=200, le=100_000)]


class Symbols(Digits):
    pass


class Stamps(Section):
    folder: str
    language: str


class Manifest(PerModality):
    path: str
    id: str
    label: str
    group: str
    split: str
    language: str
    domain: str
    start: str
    end: str


class Data(Section):
    source: Literal["digits", "symbols", "stamps", "manifest"]
    watch: str
    modalities: Annotated[tuple[Modality, ...], Field(min_length=1)]
    seed: int
    digits: Digits
    symbols: Symbols
    stamps: Stamps
    manifest: Manifest


class Validate(Section):
    max_bad_fraction: Share
    min_class_count: Count
    text_length: tuple[int, int]
    image_side: tuple[int, int]
    audio_seconds: tuple[float, float]


class Align(Section):
    tolerance: Annotated[float, Field(ge=0)]


class Split(Section):
    method: Literal["holdout", "kfold"]
    val: Annotated[float, Field(gt=0, lt=1)]
    test: Annotated[float, Field(gt=0, lt=1)]
    labels: Annotated[float, Field(gt=0, le=1)]
    group_identical_text: bool
    held_out_domain: str  # its samples are in no seed's train, val or test; "": none is held out


class Encoder(PerModality):
    width: Annotated[int, Field(ge=8)]
    depth: Count


class Recipe(Section):
    """One way to make an encoder from one modality alone."""

    objective: str
    share: Annotated[float, Field(gt=0, lt=1)]
    lr: Positive
    mask: Annotated[float, Field(gt=0, lt=1)] = 0.5


class Budget(Section):
    epochs: Positive
    flops: Positive | None


class Train(Section):
    batch: Count
    weight_decay: Annotated[float, Field(ge=0)]
    warmup: Share
    clip: Positive
    evaluations: Count
    augment: bool
    device: Literal["auto", "cpu", "cuda"]
    workers: Literal["auto"] | Count


class Evaluate(Section):
    batch: Count
    calibration_bins: Count
    analysis_rows: Annotated[int, Field(ge=32)] = 1000


class Compare(Section):
    bootstrap: Annotated[int, Field(ge=100)]
    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    threshold: Annotated[float, Field(ge=0.5, lt=1)]


class Config(Section):
    seeds: Annotated[int, Field(ge=2, le=100)]
    data: Data
    validate_: Validate = Field(alias="validate")
    align: Align
    split: Split
    preprocess: dict[str, dict[str, Any]]  # each checked by the Settings of its file in trivium.modalities
    encoder: Encoder
    pretrain: dict[str, Recipe]
    budget: Budget
    train: Train
    fuse: tuple[str, ...]
    end_to_end: tuple[str, ...]
    strategy: dict[str, dict[str, Any]]  # each checked by the Settings of its file in trivium.strategies
    evaluate: Evaluate
    compare: Compare

    @property
    def strategies(self) -> tuple[str, ...]:
        """Names of all strategies, in the order of the report."""
        return self.end_to_end + self.fuse

    @model_validator(mode="after")
    def _names_agree(self) -> Config:
        listed, described = set(self.strategies), set(self.strategy)
        wrong = [f"`{name}` is listed under `fuse` or `end_to_end` but has no settings under `strategy`"
                 + (f": did you mean `{near[0]}`?" if (near := difflib.get_close_matches(name, described, 1)) else "")
                 for name in sorted(listed - described)]
        wrong += [f"`strategy.{name}` has settings, but neither `fuse` nor `end_to_end` lists it"
                  for name in sorted(described - listed)]
        wrong += [f"`{what}` names `{name}` twice" for what, given in
                  (("data.modalities", self.data.modalities), ("end_to_end and fuse", self.strategies))
                  for name in dict.fromkeys(given) if given.count(name) > 1]
        if wrong:
            raise ValueError("; ".join(wrong))
        if "pretrain" in listed:
            raise ValueError("a strategy cannot be called `pretrain`: choose another name.")
        return self


def load(path: str | Path = "params.yaml") -> Config:
    """The settings in `path`.

    Raises:
        UserError: the file is missing, is not YAML, or has an unknown key or a value out of range.
    """
    from ruamel.yaml import YAML, YAMLError

    try:
        raw = YAML(typ="safe").load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist here ({Path.cwd()}). Run from the root of the repository.") from None
    except YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {error}") from None
    return parse(raw, str(path))


def parse(raw: Any, name: str = "params.yaml") -> Config:
    """Typed settings from plain ones; `name` is used in messages. Raises: UserError."""
    try:
        config = Config.model_validate(raw)
        from trivium import modalities
        from trivium import objectives as pretraining
        from trivium.strategies import fits

        for modality in dict.fromkeys((*config.preprocess, *config.data.modalities)):
            modalities.settings(modality, config.preprocess)
        for recipe in config.pretrain.values():
            pretraining.known(recipe.objective)
        for strategy in config.strategies:
            fits(strategy, config)
    except ValidationError as error:
        raise UserError(_explain(error, name)) from None
    return config


def _explain(error: ValidationError, name: str) -> str:
    lines = []
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = _known_keys(problem["loc"][:-1])
            near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}."
            lines.append(f"{name}: unknown key `{where}`; {hint}")
        elif problem["type"] == "missing":
            lines.append(f"{name}: `{where}` is missing; copy it from the params.yaml of the repository.")
        else:
            got = "" if isinstance(problem["input"], dict) else f" (got {problem['input']!r})"
            key = f"`{where}`: " if where else ""
            lines.append(f"{name}: {key}{problem['msg'].removeprefix('Value error, ')}{got}")
    return "\n".join(lines)


def _known_keys(path: tuple[Any, ...]) -> list[str]:
    model: Any = Config
    for part in path:
        fields = {field.alias or key: field.annotation for key, field in model.model_fields.items()}
        model = fields.get(part, Recipe)
        if not hasattr(model, "model_fields"):  # dict[str, Recipe] and the like
            model = Recipe
    return [field.alias or key for key, field in model.model_fields.items()]
