"""A model as two files: `model.safetensors` (weights) and `model.json` (what to build them into)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from trivium.data.tables import read_json, write_json
from trivium.modalities.spec import Spec


def describe(
    kind: str, settings: Mapping[str, Any], specs: Mapping[str, Spec], classes: tuple[str, ...], **more: Any
) -> dict[str, Any]:
    """What `load` needs besides the weights, and `more`. `kind`: fusion | ensemble | unimodal | encoder."""
    kept = {key: settings[key] for key in ("width", "depth", *specs)}
    plain = {m: asdict(spec) | {"shape": list(spec.shape)} for m, spec in specs.items()}
    return {"kind": kind, "encoder": kept, "specs": plain, "classes": list(classes), **more}


def save(model: nn.Module, description: Mapping[str, Any], folder: str | Path) -> None:
    """The same weights give the same bytes. Encoders of the hub come along whole: it is not needed again."""
    from safetensors.torch import save_file

    hub = {part.spec.name: part.described() for part in model.modules() if hasattr(part, "described")}

    Path(folder).mkdir(parents=True, exist_ok=True)
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    save_file(state, str(Path(folder) / "model.safetensors"))
    write_json(dict(description) | ({"hub": hub} if hub else {}), Path(folder) / "model.json")


def load(folder: str | Path) -> nn.Module:
    """The model in `folder`, on the CPU, in eval mode.

    fusion, ensemble: `model(inputs, present)` -> log-probabilities [B, C]. unimodal: `model(x)` -> logits [B, C].
    encoder: `model(x)` -> [B, D].
    """
    from safetensors.torch import load_file

    about = read_json(Path(folder) / "model.json")
    model = _empty(about)
    model.load_state_dict(load_file(str(Path(folder) / "model.safetensors")))
    return model.eval().requires_grad_(False)


def specs_of(about: Mapping[str, Any]) -> dict[str, Spec]:
    order = about.get("modalities", list(about["specs"]))
    return {m: Spec(**(about["specs"][m] | {"shape": tuple(about["specs"][m]["shape"])})) for m in order}


def _empty(about: Mapping[str, Any]) -> nn.Module:
    from trivium.models import build
    from trivium.models.network import Ensemble, Unimodal

    specs, settings, classes = specs_of(about), about["encoder"] | about.get("hub", {}), len(about["classes"])
    if about["kind"] == "fusion":
        return build.multimodal(settings, specs, classes, about["fusion"], seed=0)
    encoders = {m: build.encoder(settings, spec, seed=0) for m, spec in specs.items()}
    if about["kind"] == "encoder":
        return next(iter(encoders.values()))
    members = {m: Unimodal(encoder, classes) for m, encoder in encoders.items()}
    if about["kind"] == "unimodal":
        return next(iter(members.values()))
    chosen = {m: members[m] for m in about["members"]}
    return Ensemble(chosen, tuple(specs))
