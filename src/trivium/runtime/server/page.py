"""What people and tools are told of the service: the model, its streams, and the form of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trivium.modalities import is_timed, is_written
from trivium.runtime.answering import columns
from trivium.runtime.values import TIMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trivium.runtime.server.app import Service


SHOWN = 3  # channels of an example


def about(service: Service) -> dict[str, Any]:
    runner, known = service.runner, service.runner.about
    streams = [{"name": s, "modality": modality, "read": s in runner.read, "columns": runner.cells.get(s, [])}
               | ({"example": numbers(known.streams[s].processor)} if modality == "series" else {})
               for s, modality in runner.streams.items()]
    return {"strategy": known.strategy, "title": known.title, "task": known.task, "streams": streams,
            "answer": list(columns(runner.task)), "token": service.token is not None,
            "limits": service.limits.model_dump()}


def words(modality: str) -> str:
    return f"{'an' if modality[0] in 'aeiou' else 'a'} {modality}"


def numbers(processor: Mapping[str, Any]) -> dict[str, Any]:
    """A series as numbers, such as a request may have them: two points of the channels that the model reads."""
    channels = processor.get("channels") or ["x"]
    return {"rate": processor.get("rate", 1.0), **{name: [0.1, 0.2] for name in channels[:SHOWN]}}


def schema(service: Service) -> dict[str, Any]:
    """The body of `/predict`, for OpenAPI."""
    row: dict[str, Any] = {"id": {"type": "string", "description": "comes back with the answer"}}
    files: dict[str, Any] = {}
    for s, modality in service.runner.streams.items():
        if modality == "table":
            row[s] = files[s] = {"type": "object", "description": "a value per column",
                                 "properties": {name: {} for name in service.runner.cells.get(s, [])}}
        elif is_written(modality):
            row[s] = files[s] = {"type": "string"}
        else:
            row[s] = {"type": "string", "format": "byte", "description": f"{words(modality)} file, as base64"}
            if modality == "series":
                example = numbers(service.runner.about.streams[s].processor)
                row[s] = {"anyOf": [
                    {"type": "object", "description": "a list of numbers per channel, null in a gap; and `rate`, "
                     "points a second, or a list `time`, in seconds or dates", "additionalProperties":
                     {"type": "array"}, "properties": {"rate": {"type": "number"}}}, row[s]], "example": example}
            files[s] = {"type": "string", "format": "binary"}
    if any(is_timed(modality) for modality in service.runner.streams.values()):
        row |= {key: {"type": "number", "description": "seconds, of the part of the recording"} for key in TIMES}
    rows = {"type": "array", "items": {"type": "object", "properties": row}, "maxItems": service.limits.rows}
    return {"requestBody": {"required": True, "content": {
        "application/json": {"schema": rows},
        "multipart/form-data": {"schema": {"type": "object", "properties": files}}}}}
