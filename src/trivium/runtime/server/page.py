"""What people and tools are told of the service: the model, its streams, and the form of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trivium.modalities import is_written
from trivium.runtime.answering import columns
from trivium.runtime.values import TIMES

if TYPE_CHECKING:
    from trivium.runtime.server.app import Service


def about(service: Service) -> dict[str, Any]:
    runner, known = service.runner, service.runner.about
    streams = [{"name": s, "modality": modality, "read": s in runner.read, "columns": runner.cells.get(s, [])}
               for s, modality in runner.streams.items()]
    return {"strategy": known.strategy, "title": known.title, "task": known.task, "streams": streams,
            "answer": list(columns(runner.task)), "token": service.token is not None,
            "limits": service.limits.model_dump()}


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
            row[s] = {"type": "string", "format": "byte", "description": f"a file of {modality}, as base64"}
            files[s] = {"type": "string", "format": "binary"}
    if {"audio", "video"} & {*service.runner.streams.values()}:
        row |= {key: {"type": "number", "description": "seconds, of the part of the recording"} for key in TIMES}
    rows = {"type": "array", "items": {"type": "object", "properties": row}, "maxItems": service.limits.rows}
    return {"requestBody": {"required": True, "content": {
        "application/json": {"schema": rows},
        "multipart/form-data": {"schema": {"type": "object", "properties": files}}}}}
