"""What stands before the graph: `processors.json`, with which raw values become the graph's inputs anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trivium.models.network import Model
from trivium.runtime.folder import Processed, Processors
from trivium.serving.export.graph import Unsayable

HEAVY = ("extracted",)  # processors that are transformers' own


def of(model: Model, prepared: Mapping[str, Any], strategy: str, title: str, short: tuple[str, ...]) -> Processors:
    """prepared: what `serving.preparation` found;  short: see `graph.write`. Raises: Unsayable."""
    streams = {s: Processed.model_validate(prepared["streams"][s]) for s in model.streams}
    for s in model.readers:
        if (name := streams[s].processor["name"]) in HEAVY:
            raise Unsayable(f"The processor `{name}` of the stream {s} is that of transformers, which an exported "
                            "model does without: take the MLflow model instead (docs/using-the-model.md).")
    return Processors(strategy=strategy, title=title, seed=prepared["seed"], task=model.task.plain(),
                      read=tuple(model.readers), short=short, streams=streams)
