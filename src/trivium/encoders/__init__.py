"""What turns one modality's tensors into tokens [B, T, D] and a vector [B, D].

To add an encoder, write `encoders/<name>.py` with `build(spec, width, depth)` and name it under `encoder` in
params.yaml. Any other name is taken as a Hugging Face hub id or a local folder.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trivium.encoders.base import Encoder
    from trivium.modalities.spec import Spec


def names() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name not in ("base", "hub"))


def build(name: str | Mapping[str, Any], spec: Spec, width: int, depth: int) -> Encoder:
    """An encoder for inputs of `spec`, D = `width`; `name` may also be what `hub.Hub.described` says of one.

    Raises: UserError for a hub id or folder that cannot be loaded.
    """
    if isinstance(name, Mapping):
        from trivium.encoders import hub

        return hub.empty(name, spec, width)
    if name in names():
        return importlib.import_module(f"{__name__}.{name}").build(spec, width, depth)
    from trivium.encoders import hub

    return hub.build(name, spec, width)
