"""One sample as a person would meet it: the picture, the words, the sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from trivium.modalities import table
from trivium.report.media import Media

TEXT = 280  # characters


class Shows(Protocol):
    """Streams in their order, the modality of each, and what makes pictures and sounds of files."""

    media: Media

    @property
    def streams(self) -> list[str]: ...
    def modality(self, stream: str) -> str: ...


@dataclass(frozen=True)
class Medium:
    """`content`: a data URI of an image or a sound, named by `label`; the words; or what is absent.

    name: of the stream, where there are several of its modality
    """

    kind: Literal["image", "audio", "text", "absent"]
    content: str
    label: str = ""
    name: str = ""


def media(inputs: Shows, row: dict[str, Any]) -> list[Medium]:
    """The streams of a row of samples.parquet; what is missing or was too large to embed is said in words."""
    modalities = [inputs.modality(stream) for stream in inputs.streams]
    return [_medium(inputs, row, stream, modality, named=modalities.count(modality) > 1)
            for stream, modality in zip(inputs.streams, modalities, strict=True)]


def _medium(inputs: Shows, row: dict[str, Any], stream: str, modality: str, named: bool) -> Medium:
    """named: whether a person could not tell otherwise which stream this is."""
    value, name = row.get(stream), stream if named else ""
    target = f"{row.get('target', 'label')} {row.get('truth', row.get('label', ''))}"
    which = f"of sample {row.get('sample', '')}, {target}" + (f", {stream}" if named else "")
    if value is None:
        return Medium("absent", f"no {stream}")
    if modality == "image":
        uri = inputs.media.image(value)
        return Medium("image", uri, f"Image {which}", name) if uri else Medium("absent", "image not embedded")
    if modality == "video":
        uri = inputs.media.film(value, row.get(f"{stream}_start"), row.get(f"{stream}_end"))
        return Medium("image", uri, f"Moments {which}", name) if uri else Medium("absent", "video not embedded")
    if modality == "audio":
        uri = inputs.media.audio(value, row.get(f"{stream}_start"), row.get(f"{stream}_end"))
        return Medium("audio", uri, f"Sound {which}", name) if uri else Medium("absent", "sound not embedded")
    if modality == "table":
        value = table.said(value)
    return Medium("text", value if len(value) <= TEXT else value[: TEXT - 1] + "…", name=name)
