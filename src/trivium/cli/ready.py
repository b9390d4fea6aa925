"""What is looked at before anything runs: params.yaml, as `trivium doctor` looks at it.

DVC reads dvc.yaml and params.yaml before any stage does, and what it says of a wrong key does not help.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import trivium
from trivium.machine import files
from trivium.params import Params, load
from trivium.settings.errors import UserError

GOOD = ".cache/checked"  # the digest of what was looked at last and found right: to look at it takes seconds (torch)


def check(root: Path) -> None:
    """Silent where params.yaml is right. Raises: UserError (what is wrong, and what to do)."""
    mark, known = _mark(root, load(root / "params.yaml")), root / GOOD
    if known.exists() and known.read_text(encoding="utf-8", errors="replace") == mark:
        return
    from trivium.cli.doctor import settings

    for grade, words in settings(root):
        if grade == "wrong":
            raise UserError(words)
    files.write(known, mark)


def _mark(root: Path, params: Params) -> str:
    """Of the settings, the code that they name, and the folders of published weights."""
    home = Path(trivium.__file__).parent
    code = [(str(path.relative_to(home)), hashlib.sha256(path.read_bytes()).hexdigest())
            for path in sorted(home.rglob("*.py"))]
    folders = [root / str(entry["weights"]) for entry in params.encoder.values() if "weights" in entry]
    found = [(str(path), path.stat().st_mtime_ns) for folder in folders for path in sorted(folder.glob("*"))]
    settings = (root / "params.yaml").read_text(encoding="utf-8")
    return hashlib.sha256(json.dumps([settings, code, found]).encode()).hexdigest()
