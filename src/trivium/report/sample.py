"""One sample as a person would meet it: the picture, the words, the sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from trivium.report.inputs import Inputs

TEXT = 280  # characters


@dataclass(frozen=True)
class Medium:
    """`content`: a data URI of an image or a sound, named by `label`; the words; or what is absent."""

    kind: Literal["image", "audio", "text", "absent"]
    content: str
    label: str = ""


def media(inputs: Inputs, row: dict[str, Any]) -> list[Medium]:
    """The streams of a row of samples.parquet; what is missing or was too large to embed is said in words."""
    return [_medium(inputs, row, stream, row.get(stream)) for stream in inputs.streams]


def _medium(inputs: Inputs, row: dict[str, Any], stream: str, value: str | None) -> Medium:
    which = f"of sample {row.get('sample', '')}, label {row.get('label', '')}"
    if value is None:
        return Medium("absent", f"no {stream}")
    if stream == "image":
        uri = inputs.media.image(value)
        return Medium("image", uri, f"Image {which}") if uri else Medium("absent", "image not embedded")
    if stream == "audio":
        uri = inputs.media.audio(value, row.get("audio_start"), row.get("audio_end"))
        return Medium("audio", uri, f"Sound {which}") if uri else Medium("absent", "sound not embedded")
    return Medium("text", value if len(value) <= TEXT else value[: TEXT - 1] + "…")
