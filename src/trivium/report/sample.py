"""One sample as a person would meet it: the picture, the words, the sound."""

from __future__ import annotations

from typing import Any

from trivium.drawing.markup import Html, h
from trivium.report.inputs import Inputs

TEXT = 280  # characters


def media(inputs: Inputs, row: dict[str, Any]) -> Html:
    """The streams of a row of samples.parquet; what is missing or was too large to embed is said in words."""
    parts: list[Any] = []
    for modality in inputs.streams:
        value = row.get(modality)
        if value is None:
            parts.append(h("p", f"no {modality}", class_="absent"))
        elif modality == "image":
            uri = inputs.media.image(value)
            alt = f"Image of sample {row.get('sample', '')}, label {row.get('label', '')}"
            parts.append(h("img", src=uri, alt=alt) if uri else h("p", "image not embedded", class_="absent"))
        elif modality == "audio":
            uri = inputs.media.audio(value, row.get("audio_start"), row.get("audio_end"))
            label = f"Sound of sample {row.get('sample', '')}, label {row.get('label', '')}"
            parts.append(
                [
                    h("audio", controls=True, preload="metadata", src=uri, aria_label=label),
                    h("p", "♪ sound, playable on screen", class_="absent print"),
                ]
                if uri
                else h("p", "sound not embedded", class_="absent")
            )
        else:
            short = value if len(value) <= TEXT else value[: TEXT - 1] + "…"
            parts.append(h("blockquote", short))
    return h("div", parts, class_="media")
