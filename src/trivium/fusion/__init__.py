"""Ways to fuse one vector per modality, [B, M, D], and a presence mask, bool [B, M], into one vector [B, D].

To add one, write `fusion/<name>.py` with `build(modalities, width)` and name it in a strategy of params.yaml.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil

from torch import nn

from trivium.errors import UserError


def names() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name != "missing")


def build(name: str, modalities: int, width: int) -> nn.Module:
    """Raises: UserError when there is no such fusion."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        raise UserError(f"params.yaml: there is no fusion `{name}`; "
                        + (f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names())}."))
    return importlib.import_module(f"{__name__}.{name}").build(modalities, width)
