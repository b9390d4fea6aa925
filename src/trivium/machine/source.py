"""The files that a piece of code runs: those that it imports, anywhere in them, and those that these import."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]  # where packages are


def files(modules: Iterable[str]) -> list[Path]:
    """Below `HOME`, sorted; what is only named for its types is left out."""
    todo, seen = [file for module in modules for file in _of(module)], set[Path]()
    while todo:
        if (file := todo.pop()) not in seen:
            seen.add(file)
            todo += imported(file)
    return sorted(seen)


@functools.cache
def imported(file: Path) -> tuple[Path, ...]:
    """What `file` imports when it runs."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    types = {inner for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
             for inner in ast.walk(node)}
    names = dict[str, None]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and node not in types:
            names |= dict.fromkeys(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node not in types:
            names |= dict.fromkeys([node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)])
    return tuple(dict.fromkeys(one for name in names for one in _of(name)))


@functools.cache
def _of(module: str) -> tuple[Path, ...]:
    """The file of a module, and those of the packages that it is in; none where it is not below `HOME`."""
    words = module.split(".")
    if not (HOME / words[0]).is_dir():
        return ()
    inside = [HOME.joinpath(*words[:k], "__init__.py") for k in range(1, len(words) + 1)]
    return tuple(file for file in (*inside, HOME.joinpath(*words).with_suffix(".py")) if file.is_file())
