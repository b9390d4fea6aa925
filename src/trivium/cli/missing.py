"""A file of an out that a command looked for, and that is not there: what is told of it."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from trivium.data.tables import read_yaml
from trivium.settings.errors import UserError
from trivium.stage import LOCK

NAMED = re.compile(r"'([^']+)'|directory: (.+)$")  # as pyarrow and safetensors say it


def of_missing(error: BaseException, root: Path) -> UserError | None:
    """None where it is no such error, or of no file that `dvc.lock` knows."""
    if not isinstance(error, FileNotFoundError):
        return None
    found = NAMED.search(str(error))
    path = Path(error.filename or (found and (found[1] or found[2])) or "")
    if path.is_relative_to(root.absolute()):
        path = path.relative_to(root.absolute())
    lock: dict[str, Any] = {}
    with suppress(UserError):
        lock = read_yaml(root / LOCK)
    for stage, entry in lock.get("stages", {}).items():
        for out in entry.get("outs", ()):
            if path.is_relative_to(out["path"]):
                return UserError(f"{path} is missing. `dvc checkout {out['path']}` brings it back from DVC's cache. If "
                                 f"it is not there either, `dvc pull` fetches it, or `dvc repro` (stage {stage}) makes "
                                 "it again. `trivium verify --repair` mends all that is missing or damaged.")
    return None
