"""One sample as a person would meet it: the picture, the words, the sound."""

from __future__ import annotations

from typing import Any

from trivium.drawing.markup import Html, h
from trivium.report.inputs import Inputs

TEXT = 280  # characters


def media(inputs: Inputs, row: dict[str, Any]) -> Html:
    """The streams of a row of samples.parquet; what is missing or was too large to embed is said in words."""
    parts: list[Any] = []
    modalities = [inputs.modality(stream) for stream in inputs.streams]
    for stream, modality in zip(inputs.streams, modalities, strict=True):
        value = row.get(stream)
        which = "" if stream == modality else f", {stream}"
        about = f"of sample {row.get('sample', '')}, label {row.get('label', '')}{which}"
        if value is not None and modalities.count(modality) > 1:
            parts.append(h("p", stream, class_="note"))
        if value is None:
            parts.append(h("p", f"no {stream}", class_="absent"))
        elif modality == "image":
            uri = inputs.media.image(value)
            parts.append(h("img", src=uri, alt=f"Image {about}") if uri else h("p", "image not embedded",
                                                                               class_="absent"))
        elif modality == "audio":
            uri = inputs.media.audio(value, row.get(f"{stream}_start"), row.get(f"{stream}_end"))
            parts.append(
                [
                    h("audio", controls=True, preload="metadata", src=uri, aria_label=f"Sound {about}"),
                    h("p", "♪ sound, playable on screen", class_="absent print"),
                ]
                if uri
                else h("p", "sound not embedded", class_="absent")
            )
        else:
            short = value if len(value) <= TEXT else value[: TEXT - 1] + "…"
            parts.append(h("blockquote", short))
    return h("div", parts, class_="media")
