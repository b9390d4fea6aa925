"""A sample with several streams of one modality."""

from types import SimpleNamespace
from typing import Any

from trivium.report.inputs import Inputs
from trivium.report.sample import Medium, media

MODALITIES = {"photo": "image", "scan": "image", "voice": "audio", "title": "text"}


def shown(row: dict[str, Any], streams: list[str]) -> tuple[list[Medium], list[tuple]]:
    heard: list[tuple] = []
    files = SimpleNamespace(image=lambda path: f"uri:{path}", audio=lambda *where: heard.append(where) or "uri:sound")
    inputs: Any = SimpleNamespace(streams=streams, media=files, _modalities=MODALITIES)
    inputs.modality = lambda stream: Inputs.modality(inputs, stream)
    return media(inputs, row), heard


def test_each_stream_is_shown_as_its_modality_and_named_where_there_are_two() -> None:
    row = {"sample": "s1", "label": "a", "photo": "p.png", "scan": None, "voice": "v.wav", "voice_start": 1.5,
           "voice_end": 2.0, "title": "a cat"}
    found, heard = shown(row, list(MODALITIES))
    assert heard == [("v.wav", 1.5, 2.0)]
    assert found == [Medium("image", "uri:p.png", "Image of sample s1, label a, photo", "photo"),
                     Medium("absent", "no scan"), Medium("audio", "uri:sound", "Sound of sample s1, label a"),
                     Medium("text", "a cat")]
