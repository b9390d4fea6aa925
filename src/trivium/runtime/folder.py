"""What lies in an exported folder: `model.onnx`, `processors.json`, and maybe `model.int8.onnx`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from trivium.modalities.anonymised import Rules
from trivium.settings.errors import UserError

GRAPH, INT8, PROCESSORS = "model.onnx", "model.int8.onnx", "processors.json"
PRESENT, ANSWER, INPUT = "present", "answer", "input_"  # names in the graph; an input is called `input_STREAM`
SHORTEST = 2  # tokens that a text is cut to at least: the exporter takes a side of 1 for a constant


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Processed(Part):
    """What raw values of a stream go through.

    spec: see `Spec.plain`;  processor: its settings and its `name`;  statistics: mean and deviation of train, or null
    tokenizer: what was fitted on train, as text, or null;  anonymised: by which rules its texts are
    placeholders: digests of values that count as missing
    """

    spec: dict[str, Any]
    processor: dict[str, Any]
    statistics: dict[str, list[float]] | None
    tokenizer: str | None
    anonymised: Rules | None = None
    placeholders: tuple[str, ...] = ()


class Processors(Part):
    """`processors.json`. strategy, title, seed: of the model;  task: see `Task.plain`

    streams: all that are known, in the order of `present`;  read: those that the graph has an input for, in its order
    short: those of texts that may be cut behind the longest of a batch
    sha256: of each graph, by its name; a folder of an older version has none
    """

    format: Literal[1] = 1  # of such a file; another one says that other code made it
    strategy: str
    title: str
    seed: int
    task: dict[str, Any]
    read: tuple[str, ...]
    short: tuple[str, ...]
    streams: dict[str, Processed]
    sha256: dict[str, str] = {}

    def text(self) -> str:
        """As it stands in the file: the streams in their order."""
        plain = self.model_dump(mode="json")
        for one in plain["streams"].values():
            for key in ("anonymised", "placeholders"):
                if not one[key]:
                    del one[key]  # as in the files of older versions
        return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Raises: UserError (no exported folder, or one that another version of Trivium made)."""
        path = folder / PROCESSORS
        if not path.exists():
            raise UserError(f"{folder} is no exported model: there is no {PROCESSORS} in it. `trivium export NAME` "
                            "makes such a folder.")
        try:
            found = cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            place = ".".join(str(part) for part in error.errors()[0]["loc"]) or "the whole file"
            raise UserError(f"{path} was made by another version of Trivium, or is damaged ({place}). Answer with the "
                            "code in its folder, or export the model again.") from None
        return found
