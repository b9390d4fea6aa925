"""DVC's own files that a kill left half-written, made whole again: `dvc.lock` and `.dvc/tmp/rwlock`, both written in
place.

`dvc.lock` says for each stage what it read, its settings, and what came out. What stands before the cut is as DVC wrote
it; a stage that is lost gets the entry that git keeps of it, or none. No entry is made from the outs that lie in the
workspace: whether they belong to the present inputs, only the stage's own run can say. `dvc repro` does the rest: it
compares each entry with the workspace, and what has none, or another one, comes from the run cache, or runs again.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from trivium.machine import files
from trivium.settings.errors import UserError

LOCK, RWLOCK = "dvc.lock", ".dvc/tmp/rwlock"
VERSIONS = (":./", "HEAD:./")  # of git, the newest first: what is staged, and the last commit
START = re.compile(r"^  [^\s#].*:\s*$", re.MULTILINE)  # the first line of a stage
CONFLICT = "<<<<<<< "


def torn(root: Path) -> list[str]:
    """Which of DVC's files are half-written. Quick: DVC is not imported."""
    checks = {LOCK: lambda text: bool(_stages(text)) and text.endswith("\n"), RWLOCK: _is_json}
    return [name for name, good in checks.items() if (root / name).exists() and not good(_text(root / name))]


def repair(root: Path) -> str | None:
    """Mend what is `torn`; what was done, in words; None where all is whole or another DVC command is writing.

    Raises: UserError (dvc.lock holds both sides of a git merge, of which only a person knows the right one).
    """
    if not torn(root) or not (root / ".dvc").is_dir():
        return None
    from dvc.lock import Lock, LockError

    (root / RWLOCK).parent.mkdir(exist_ok=True)
    try:
        with Lock(str(root / ".dvc/tmp/lock")), Lock(str(root / f"{RWLOCK}.lock")):
            found = torn(root)  # now nobody else is writing
            said = []
            if RWLOCK in found:
                (root / RWLOCK).unlink()
                said.append(f"{RWLOCK}, where running DVC commands say what they use, was cut off, as by a kill. It is "
                            "removed; DVC makes it anew.")
            if LOCK in found:
                said.append(_mend(root))
    except LockError:
        return None
    return " ".join(said) or None


def _mend(root: Path) -> str:
    text = _text(root / LOCK)
    if CONFLICT in text:
        raise UserError(f"{LOCK} holds both sides of a git merge. Take one (`git checkout --ours {LOCK}`, or `--theirs`"
                        "), then run `dvc repro`, which finds out what is to be done on the merged settings and code.")
    kept, old = _whole_part(text), _of_git(root)
    lost = {name: entry for name, entry in old.get("stages", {}).items() if name not in kept.get("stages", {})}
    whole = dict(kept.get("stages", {})) | lost
    if whole:
        from dvc.utils.serialize import dumps_yaml  # as DVC itself writes it

        files.write(root / LOCK, dumps_yaml(dict(kept or old) | {"stages": whole}))
    else:
        (root / LOCK).unlink()
    return (f"{LOCK} was cut off, as by a kill while DVC wrote it. {len(whole) - len(lost)} of its stages were whole, "
            f"{len(lost)} more are as git has them. `dvc repro` (`make repro`) compares them with what is here, and "
            "what does not fit, or is missing, it takes from its cache or runs again.")


def _whole_part(text: str) -> dict[str, Any]:
    """All of the lock before the stage that was cut; {} where nothing is left."""
    from dvc.utils.serialize import parse_yaml_for_update

    for start in reversed([match.start() for match in START.finditer(text)]):
        if _stages(text[:start]):
            return parse_yaml_for_update(text[:start], LOCK)
    return {}


def _of_git(root: Path) -> dict[str, Any]:
    """The newest version of the lock in git that is whole; {} where there is none."""
    from dvc.utils.serialize import parse_yaml_for_update

    for version in VERSIONS:
        try:
            done = subprocess.run(["git", "show", f"{version}{LOCK}"], cwd=root, capture_output=True)
        except FileNotFoundError:  # no git
            return {}
        text = done.stdout.decode("utf-8", "replace")
        if done.returncode == 0 and text.endswith("\n") and _stages(text):
            return parse_yaml_for_update(text, LOCK)
    return {}


def _stages(text: str) -> dict[str, Any] | None:
    """The stages of a lock; nothing where there are none, or DVC would refuse it."""
    import yaml

    try:
        found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # the C loader: it can be long
    except yaml.YAMLError:
        return None
    stages = found.get("stages", {}) if isinstance(found, dict) and found.get("schema") == "2.0" else None
    return stages if isinstance(stages, dict) and all(map(_is_stage, stages.values())) else None


def _is_stage(entry: Any) -> bool:
    if not isinstance(entry, dict) or not entry.get("cmd"):
        return False
    items = [entry.get(key, []) for key in ("deps", "outs")]
    if not all(isinstance(each, list) and all(isinstance(one, dict) and one.get("path") for one in each)
               for each in items):
        return False
    params = entry.get("params", {})
    return isinstance(params, dict) and all(isinstance(values, dict) for values in params.values())


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
