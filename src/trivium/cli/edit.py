"""params.yaml edited in place: comments, and all that is not changed, stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from trivium.machine import files
from trivium.params import unreadable
from trivium.settings.errors import UserError

NULL = "tag:yaml.org,2002:null"


def load(params: Path) -> tuple[Any, Any]:
    """What writes YAML, and the settings. Raises: UserError (no such file, no YAML)."""
    from ruamel.yaml import YAML, YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.representer.add_representer(type(None), lambda dumper, _: dumper.represent_scalar(NULL, "null"))
    try:
        return yaml, yaml.load(files.text(params))
    except FileNotFoundError:
        raise UserError(f"{params} does not exist here ({Path.cwd()}). Run from the root of the repository.") from None
    except YAMLError as error:
        raise unreadable(params, error) from None


def save(params: Path, yaml: Any, settings: Any) -> None:
    """Lines that differ only in white space stay as they were."""
    dumped = StringIO()
    yaml.dump(settings, dumped)
    old, new = params.read_text(encoding="utf-8").splitlines(), dumped.getvalue().splitlines()
    same = {(len(line) - len(line.lstrip()), *line.split()): line for line in old}
    new = [same.get((len(line) - len(line.lstrip()), *line.split()), line) for line in new]
    files.write(params.resolve(), "\n".join(new) + "\n")


def put(settings: Any, dotted: str, value: Any) -> None:
    """Set one key, such as `data.manifest.path`, unless it has this value already."""
    *sections, key = dotted.split(".")
    for name in sections:
        settings = settings.setdefault(name, {})
    if key == "task" and key not in settings:
        settings.insert(1, key, _on_one_line(value))  # at the top, where people look for it
    if settings.get(key) != value or (isinstance(value, Mapping) and list(settings[key]) != list(value)):
        settings[key] = _on_one_line(value)


def _on_one_line(value: Any) -> Any:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if not isinstance(value, (Mapping, list)):
        return value
    made: Any = (CommentedSeq([_on_one_line(one) for one in value]) if isinstance(value, list) else
                 CommentedMap({key: _on_one_line(one) for key, one in value.items()}))
    made.fa.set_flow_style()
    return made
