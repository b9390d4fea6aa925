"""Importing large libraries faster: what nobody asks for is left out, and garbage is not looked for meanwhile."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType


@contextmanager
def fast(*later: str) -> Iterator[None]:
    """Import something in the block; the modules named `later` are loaded when something of them is used."""

    class Later(PathFinder):
        @classmethod
        def find_spec(cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None,
                      ) -> ModuleSpec | None:
            spec = super().find_spec(name, path, target) if name in later else None
            if spec is not None and spec.loader is not None:
                spec.loader = LazyLoader(spec.loader)
            return spec

    gc.disable()  # nothing of what is loaded is garbage; looking for some in it takes up to a fifth longer
    sys.meta_path.insert(0, Later)
    try:
        yield
    finally:
        sys.meta_path.remove(Later)
        gc.freeze()
        gc.enable()
