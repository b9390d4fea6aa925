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

LATER = (  # keys that came later, their line, the end of what stands before it, and what it says
    ("task", "task: classification\n", r"^seeds:.*\n", "what is predicted"),
    ("tune", "tune: {trials: 0}\n", r"^loop:.*\n([ #].*\n|\n(?=[ #]))*", "how much is tuned"),
)
GOOD = ".cache/checked"  # the digest of what was looked at last and found right: to look at it takes seconds (torch)


def complete(root: Path) -> str | None:
    """Write `task` and `tune` into a params.yaml of the time before there were any: DVC asks for each key that a stage
    depends on. What was done, in words.
    """
    path = root / "params.yaml"
    text = files.text(path) if path.exists() else ""
    said = []
    for key, line, after, words in LATER:
        place = re.search(after, text, re.MULTILINE)
        if place and not re.search(rf"^{key}\s*:", text, re.MULTILINE):
            text = text[:place.end()] + line + text[place.end():]
            said.append(f"params.yaml did not say {words}: now it has the line `{line.strip()}`, as it was before.")
    if said:
        files.write(path.resolve(), text)
    return " ".join(said) or None


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
