"""A model as two files: `model.safetensors` (weights) and `model.json` (what to build them into, and under `sha256` the
digests of the weights and of what it says itself: `load` refuses others).

Published weights stay where the recipe keeps them, once for all seeds and strategies: `model.json` names them under
`apart`, the model holds only what differs from them, and `load` joins both. A package brings them along, in a folder
`apart`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from trivium import tasks
from trivium.data.tables import read_json, write_json
from trivium.encoders import Described
from trivium.machine import digests, files
from trivium.modalities.spec import Spec
from trivium.settings.errors import UserError
from trivium.tasks import Task

WEIGHTS, ABOUT = "model.safetensors", "model.json"
MEND = ("`trivium verify --repair` finds all that is damaged and brings it back from DVC's cache; what the cache has "
        "not, `dvc pull` or `dvc repro` brings. A model that was exported or packed: export it again.")
PRETRAINED = Path("models/pretrain")  # below the working directory, where stages run


def describe(kind: str, encoders: Mapping[str, Described], specs: Mapping[str, Spec], task: Task, **more: Any,
             ) -> dict[str, Any]:
    """What `load` needs besides the weights, and `more`. kind: fusion, linear, boosted, selected, prompted, ensemble,
    unimodal, encoder.
    """
    return {"kind": kind, "streams": list(specs), "encoders": {s: encoders[s].plain() for s in specs},
            "specs": {s: spec.plain() for s, spec in specs.items()},
            **({} if kind == "encoder" else {"task": task.plain()}), **more}  # an encoder's weights may know of no task


def save(model: nn.Module, description: Mapping[str, Any], folder: str | Path) -> None:
    """The same weights give the same bytes. Encoders of the hub come along whole: it is not needed again."""
    from safetensors.torch import save_file

    hub = {part.spec.name: part.described() for part in model.modules() if hasattr(part, "described")}
    Path(folder).mkdir(parents=True, exist_ok=True)
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    for s, where in description.get("apart", {}).items():
        for key, value in _published(PRETRAINED / where, s).items():
            if torch.equal(state[key], value):
                del state[key]
    with files.weights(Path(folder) / WEIGHTS) as scratch:
        save_file(state, str(scratch))
        digest = digests.of(scratch)
    about = dict(description) | ({"hub": hub} if hub else {})
    write_json(about | {"sha256": {"weights": digest, "about": _digest(about)}}, Path(folder) / ABOUT)


def _digest(about: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def load(folder: str | Path) -> nn.Module:
    """The model in `folder`, on the CPU, in eval mode.

    fusion, ensemble, linear: `model(inputs, present)` -> the task's answer [B, C]. unimodal: `model(x)` ->
    outputs [B, C]. encoder: `model(x)` -> [B, D]. Raises: UserError (a file is damaged, or not there).
    """
    from trivium.models import kept

    about, state = _read(Path(folder))
    model = _empty(about)
    for s, where in about.get("apart", {}).items():
        component = _apart(Path(folder), where)
        as_published = not any(key.startswith(f"encoders.{s}.") for key in state)
        state = _published(component, s) | state
        if as_published and kept.there(component) and not model.readers[s].whole:
            model.kept[s] = kept.Kept(component)
    model.load_state_dict(state)
    return model.eval().requires_grad_(False)


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """What `folder` says of its model, and the weights, once they are known to be what training wrote.

    Raises: UserError.
    """
    from safetensors.torch import load_file

    path, about = folder / WEIGHTS, read_json(folder / ABOUT)
    if not path.exists():
        raise UserError(f"{path} is not there. {MEND}")
    if known := about.pop("sha256", None):
        for file, digest, key in ((folder / ABOUT, _digest(about), "about"), (path, digests.of(path), "weights")):
            if not isinstance(known, dict) or known.get(key) != digest:
                raise UserError(f"{file} is damaged: its content is not what training wrote. {MEND}")
    else:
        _unsealed()
    try:
        return about, load_file(str(path))
    except SafetensorError as error:
        raise UserError(f"{path} is damaged ({error}). {MEND}") from None


@cache
def _unsealed() -> None:
    print("note: a model here is of an older Trivium and does not say what its weights should be, so that damage would "
          "not be noticed. `dvc repro` makes it anew when something else changes.", file=sys.stderr)


def _published(component: Path, stream: str) -> dict[str, torch.Tensor]:
    """The weights in a component's folder, under their names in a model."""
    return {f"encoders.{stream}.{key}": value for key, value in _read(component)[1].items()}


def _apart(folder: Path, where: str) -> Path:
    """The component whose weights are kept apart; where: RECIPE/STREAM/all."""
    for home in (folder / "apart", folder.parents[1] / "pretrain"):
        if (home / where / WEIGHTS).exists():
            return home / where
    raise UserError(f"{folder} needs the published weights in {folder.parents[1] / 'pretrain' / where}, which are not "
                    f"there: `dvc checkout` (or `dvc pull`) brings them, `dvc repro` makes them again.")


def specs_of(about: Mapping[str, Any]) -> dict[str, Spec]:
    return {s: Spec.of(s, about["specs"][s]) for s in about["streams"]}


def _empty(about: Mapping[str, Any]) -> nn.Module:
    from trivium.models import adapters, build, pools
    from trivium.models.network import Ensemble, Unimodal

    specs = specs_of(about)
    encoders = {s: _encoder(about, s, spec) for s, spec in specs.items()}
    if about["kind"] == "encoder":
        return next(iter(encoders.values()))
    task = tasks.of(about["task"])
    if about["kind"] == "linear":
        from trivium.models.linear import Linear, Probed

        linear = Linear(**about["linear"])
        return Probed({s: encoders[s] for s in linear.parts}, linear, task)
    if about["kind"] == "boosted":
        from trivium.models.boosting import Boosted, Boosting, reader

        boosting = Boosting(task=task, **about["boosting"])
        return Boosted({s: reader(encoders[s]) for s in boosting.parts}, boosting, task)
    if about["kind"] == "selected":
        from trivium.models.selected import Selected

        return Selected.empty(about["selected"], encoders, task)
    if about["kind"] == "prompted":
        from trivium.models.prompted import Prompted

        prompts = about["prompts"]
        return Prompted({s: encoders[s] for s in prompts["reads"]}, tuple(specs), prompts["width"], task)
    if about["kind"] == "fusion":
        for encoder in encoders.values() if "adapters" in about else ():
            adapters.add(encoder, **about["adapters"])
        return build.multimodal(encoders, task, about["fusion"], seed=0)
    members = {s: Unimodal(encoder, task.outputs) for s, encoder in encoders.items()}
    if about["kind"] == "unimodal":
        return next(iter(members.values()))
    pool = pools.empty(about["pool"]) if "pool" in about else None
    return Ensemble({s: members[s] for s in about["members"]}, tuple(specs), task, pool)


def _encoder(about: Mapping[str, Any], stream: str, spec: Spec) -> Any:
    from trivium.encoders import hub
    from trivium.encoders.published import adapter
    from trivium.models import build

    if spec.kind == "frames":
        from trivium.encoders.over_time import OverTime, frame

        one = dict(about["encoders"][stream])
        one["settings"] = {key: value for key, value in one["settings"].items() if key != "over_time"}
        inner = _encoder(dict(about) | {"encoders": about["encoders"] | {stream: one}}, stream, frame(spec))
        return OverTime(inner, spec, about["encoders"][stream]["settings"]["over_time"])
    if stream in about.get("hub", {}):
        return hub.empty(about["hub"][stream], spec)
    described = Described.of(about["encoders"][stream])
    if part := adapter(described.weights):
        return part.empty(spec)
    return build.encoder(described, spec, seed=0)
