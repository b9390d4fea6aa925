"""Ways to fuse one vector per modality, [B, M, D], and a presence mask, bool [B, M], into one vector [B, D].

To add one, write `fusion/<name>.py` with `build(modalities, width)` and name it in a strategy of params.yaml.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from typing import TYPE_CHECKING

from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from torch import nn


def names() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name != "missing")


def known(name: str) -> None:
    """Raises: UserError when there is no such fusion."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        raise UserError(f"params.yaml: there is no fusion `{name}`; "
                        + (f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names())}."))


def build(name: str, modalities: int, width: int) -> nn.Module:
    """Raises: UserError when there is no such fusion."""
    known(name)
    return importlib.import_module(f"{__name__}.{name}").build(modalities, width)
