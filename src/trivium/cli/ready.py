"""What is looked at before anything runs: params.yaml, as `trivium doctor` looks at it.

DVC reads dvc.yaml and params.yaml before any stage does, and what it says of a wrong key does not help.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import trivium
from trivium.machine import files
from trivium.params import Params, load
from trivium.settings.errors import UserError

GOOD = ".cache/checked"  # the digest of what was looked at last and found right: to look at it takes seconds (torch)


def complete(root: Path) -> str | None:
    """Write `task` into a params.yaml of the time before there was one: DVC asks for each key that a stage depends on.
    What was done, in words.
    """
    path = root / "params.yaml"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    seeds = re.search(r"^seeds:.*\n", text, re.MULTILINE)
    if not seeds or re.search(r"^task\s*:", text, re.MULTILINE):
        return None
    files.write(path.resolve(), text[:seeds.end()] + "task: classification\n" + text[seeds.end():])
    return "params.yaml did not say what is predicted: now it has the line `task: classification`, as it was before."


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
