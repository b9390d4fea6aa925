"""`trivium profile NAME`: put the recipes and strategies of a profile into params.yaml, beside those that are there.

A profile is a file of `profiles`. An entry that params.yaml has under the same name stays as it is.
"""

from __future__ import annotations

from pathlib import Path

from trivium.cli import edit
from trivium.params import parse, refuse_empty
from trivium.settings.errors import UserError
from trivium.settings.parts import nearest

HOME = Path(__file__).parent / "profiles"


def names() -> list[str]:
    return sorted(path.stem for path in HOME.glob("*.yaml"))


def add(name: str, params: str | Path = "params.yaml") -> None:
    """Edit `params` in place and print what was added. Raises: UserError (no such profile; settings that are wrong)."""
    if name not in names():
        raise UserError(f"There is no profile `{name}`; {nearest(name, names())}")
    params = Path(params)
    yaml, settings = edit.load(params)
    refuse_empty(settings, str(params))
    _, profile = edit.load(HOME / f"{name}.yaml")
    added = [f"{section}.{key}" for section, entries in profile.items() for key in entries if key not in
             settings[section]]
    for one in added:
        section, key = one.split(".")
        edit.put(settings, one, profile[section][key])
    parse(settings, str(params))
    edit.save(params, yaml, settings)
    print(f"{params} has now", *added, sep="\n  ") if added else print(f"{params} had all of `{name}`")
