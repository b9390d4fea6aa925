"""Whether a folder of published weights is whole, as far as its config and the heads of its files tell: nothing is
loaded, and what was cut off on the way, or belongs to another model, is told before anything runs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trivium.settings import parts
from trivium.settings.errors import UserError

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
LONGEST = 100_000_000  # bytes of a head, as safetensors has it


def check(where: str, weights: str, folder: Path) -> None:
    """weights: as the entry `where` names them.  folder: that they are in.

    Raises: UserError (no config or one of no model that transformers knows; a file of weights that is cut off, is none,
    or has no tensor of the width that the config says).
    """
    about = _config(where, weights, folder)
    _refuse_unknown(where, weights, about.get("model_type"))
    shapes = [shape for file in _files(where, weights, folder) for shape in _shapes(where, weights, file)]
    width = about.get("hidden_size")
    if shapes and isinstance(width, int) and not any(width in shape for shape in shapes):
        raise UserError(unlike(weights, f"`hidden_size` is {width} there, and no tensor is as wide"))


def unlike(weights: str, why: str) -> str:
    """What is said of weights that are not those of their config."""
    return (f"params.yaml: the weights in `{weights}` have other shapes than its {CONFIG} says ({why}): it is the "
            f"config of another model. Save both together ({_save(weights)}).")


def _config(where: str, weights: str, folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"params.yaml: `{where}`: the folder {weights} has no {CONFIG}, which says what model it "
                        f"holds. Save the model there ({_save(weights)}).") from None
    except (ValueError, OSError) as error:
        raise UserError(f"params.yaml: `{where}`: {CONFIG} of `{weights}` cannot be read ({error}).") from None
    if not isinstance(found, dict):
        raise UserError(f"params.yaml: `{where}`: {CONFIG} of `{weights}` is no JSON object.")
    return found


def _refuse_unknown(where: str, weights: str, kind: Any) -> None:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    if kind is None:
        raise UserError(f"params.yaml: `{where}`: {CONFIG} of `{weights}` has no `model_type`, which says what model "
                        f"it is. Save the model again ({_save(weights)}).")
    if kind not in CONFIG_MAPPING:
        near = parts.nearest(str(kind), CONFIG_MAPPING.keys())
        raise UserError(f"params.yaml: `{where}`: {CONFIG} of `{weights}` says `model_type: {kind}`, which the "
                        "installed transformers does not know" + (f"; {near}" if near.startswith("did") else "."))


def _files(where: str, weights: str, folder: Path) -> list[Path]:
    """The files that are read: one, or those that an index names."""
    if (folder / WEIGHTS).exists() or not (folder / INDEX).exists():
        return [folder / WEIGHTS]
    try:
        named = sorted(set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, OSError, KeyError, AttributeError, TypeError) as error:
        raise UserError(f"params.yaml: `{where}`: {INDEX} of `{weights}` cannot be read ({error}).") from None
    return [folder / str(name) for name in named]


def _shapes(where: str, weights: str, file: Path) -> list[list[int]]:
    """Of the tensors in one file: eight bytes with the length of the head, the head in JSON, the numbers."""
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            head = json.loads(stream.read(min(length, LONGEST)))
        tensors = [one for name, one in head.items() if name != "__metadata__"]
        end = 8 + length + max((one["data_offsets"][1] for one in tensors), default=0)
        shapes = [list(one["shape"]) for one in tensors]
    except FileNotFoundError:
        raise UserError(f"params.yaml: `{where}`: the folder {weights} lacks {file.name}: copy it again.") from None
    except (ValueError, OSError, KeyError, AttributeError, TypeError, IndexError):
        raise UserError(f"params.yaml: `{where}`: {file.name} of `{weights}` is no whole safetensors file: copy or "
                        "save it again.") from None
    if size != end:
        raise UserError(f"params.yaml: `{where}`: {file.name} of `{weights}` has {size:,} bytes and should have "
                        f"{end:,}: it was not copied to its end. Copy it again.")
    return shapes


def _save(weights: str) -> str:
    return f'AutoModel.from_pretrained(...).save_pretrained("{weights}")'
