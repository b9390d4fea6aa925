"""Small networks, for tests that need one and not the way from params.yaml to it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from trivium import fusion as fusions
from trivium import models
from trivium.encoders import Described
from trivium.encoders.base import Encoder
from trivium.modalities.spec import Spec
from trivium.models.network import Multimodal
from trivium.tasks.classification import Classification


def described(spec: Spec, architecture: str = "cnn", width: int = 16, depth: int = 1, weights: str = "") -> Described:
    """weights: a folder with published ones; then there is no architecture."""
    processor: tuple[str, dict[str, Any]] = (spec.modality, {})
    if weights:
        return Described(spec.modality, "hub", weights, processor)
    known = import_module(f"trivium.encoders.{architecture}").Settings.model_fields
    settings = {key: value for key, value in (("width", width), ("depth", depth)) if key in known}
    return Described(spec.modality, architecture, "", processor, settings)


def encoder(spec: Spec, architecture: str = "cnn", width: int = 16, depth: int = 1, weights: str = "", seed: int = 0,
            ) -> Encoder:
    return models.encoder(described(spec, architecture, width, depth, weights), spec, seed)


def encoders(specs: Mapping[str, Spec], architecture: str | Mapping[str, str] = "cnn", width: int = 16, depth: int = 1,
             seed: int = 0) -> dict[str, Encoder]:
    """architecture: one for all streams, or one per stream."""
    kinds = dict.fromkeys(specs, architecture) if isinstance(architecture, str) else architecture
    return {s: encoder(spec, kinds[s], width, depth, seed=seed) for s, spec in specs.items()}


def multimodal(specs: Mapping[str, Spec], classes: int, fusion: str | Mapping[str, Any] = "concat", seed: int = 0,
               architecture: str | Mapping[str, str] = "cnn", width: int = 16, depth: int = 1) -> Multimodal:
    """fusion: as in params.yaml."""
    parts = encoders(specs, architecture, width, depth, seed)
    return models.multimodal(parts, task(classes), fusions.chosen(fusion, "fusion"), seed)


def task(classes: int) -> Classification:
    """So many of them, called 0, 1, ..."""
    return Classification([str(k) for k in range(classes)])
