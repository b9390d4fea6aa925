"""A sample with several streams of one modality."""

from types import SimpleNamespace
from typing import Any

from trivium.drawing.markup import Html
from trivium.report.inputs import Inputs
from trivium.report.sample import media

MODALITIES = {"photo": "image", "scan": "image", "voice": "audio", "title": "text"}


def shown(row: dict[str, Any], streams: list[str]) -> tuple[Html, list[tuple]]:
    heard: list[tuple] = []
    files = SimpleNamespace(image=lambda path: f"uri:{path}", audio=lambda *where: heard.append(where) or "uri:sound")
    inputs: Any = SimpleNamespace(streams=streams, media=files, meta={"streams": MODALITIES})
    inputs.modality = lambda stream: Inputs.modality(inputs, stream)
    return media(inputs, row), heard


def test_each_stream_is_shown_as_its_modality_and_named_where_there_are_two() -> None:
    row = {"sample": "s1", "label": "a", "photo": "p.png", "scan": "s.png", "voice": "v.wav", "voice_start": 1.5,
           "voice_end": 2.0, "title": "a cat"}
    page, heard = shown(row, list(MODALITIES))
    said = str(page)
    assert heard == [("v.wav", 1.5, 2.0)]
    for words in ('src="uri:p.png"', 'alt="Image of sample s1, label a, scan"', ">photo<", ">scan<", "a cat"):
        assert words in said
    assert ">voice<" not in said and ">title<" not in said
    assert "no scan" in str(shown(row | {"scan": None}, list(MODALITIES))[0])


def test_streams_that_are_called_like_their_modality_need_no_name() -> None:
    said = str(shown({"sample": "s1", "label": "a", "image": "p.png"}, ["image"])[0])
    assert 'alt="Image of sample s1, label a"' in said and ">image<" not in said
