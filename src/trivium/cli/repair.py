"""DVC's own files that a kill left half-written, made whole again: `dvc.lock` and `.dvc/tmp/rwlock`, both written in
place.

`dvc.lock` says for each stage what it read, its settings, and what came out. A stage that can still be read is as DVC
wrote it. One that is lost gets the entry that it had when the last stage began (which every stage keeps, see
`trivium.stage`), else the one that git keeps of it, else what DVC's cache has kept of a run with the same inputs, or
none. No entry is made from the outs that lie in the workspace: whether they belong to the present inputs, only the
stage's own run can say. `dvc repro` does the rest: it compares each entry with the workspace, and what has none, or
another one, comes from the run cache, or runs again. So no entry can be wrong, only of no use.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from trivium.machine import files
from trivium.stage import KEPT, LOCK

RWLOCK = ".dvc/tmp/rwlock"
HALF = ("models/*", "models/pretrain/*", "reports/*", "reports/evaluate/*", "export", "export.old", *(
    f"data/{name}{old}" for name in ("raw", "valid", "aligned", "splits", "features", "reads", "code")
    for old in ("", ".old")))  # see `trivium.stage.fresh`
VERSIONS = (":./", "HEAD:./")  # of git, the newest first: what is staged, and the last commit
START = re.compile(r"^  [^\s#].*:\s*$", re.MULTILINE)  # the first line of a stage
CONFLICT = re.compile(r"^<<<<<<< .*\n((?:.*\n)*?)(?:\|{7}.*\n(?:.*\n)*?)?=======\n((?:.*\n)*?)>>>>>>> .*\n?",
                      re.MULTILINE)  # ours and theirs
HASH = re.compile(r"[0-9a-f]{32}(\.dir)?")
HEAD = "schema: '2.0'\nstages:\n"

Stages = dict[str, Any]  # by name, as the lock has them


def torn(root: Path) -> list[str]:
    """Which of DVC's files are half-written. Quick: DVC is not imported."""
    checks = {LOCK: lambda text: bool(_stages(text)) and text.endswith("\n"), RWLOCK: _is_json}
    return [name for name, good in checks.items() if (root / name).exists() and not good(_text(root / name))]


def mend(root: Path) -> None:
    """`repair`, told on stderr, before anything reads what a kill may have left half-written."""
    if said := repair(root):
        print(f"note: {said}", file=sys.stderr)


def sweep(root: Path) -> None:
    """Remove half-written outs of killed stages. Where DVC takes such an out from its cache, no stage does it, and in a
    folder that others read they would count as read.
    """
    for pattern in HALF:
        for path in root.glob(f"{pattern}.part"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)


def repair(root: Path) -> str | None:
    """Mend what is `torn`; what was done, in words; None where all is whole or another DVC command is writing."""
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
    from dvc.utils.serialize import dumps_yaml  # as DVC itself writes it

    text = _text(root / LOCK).rstrip("\0")  # which a power cut leaves behind what was written
    whole, why = _readable(text), "was cut off, as by a kill while DVC wrote it"
    if CONFLICT.search(text):
        whole = _readable(CONFLICT.sub(r"\1", text)) | _readable(CONFLICT.sub(r"\2", text))
        whole |= _readable(CONFLICT.sub(r"\1", text))  # ours, where the sides differ; the order is that of DVC
        why = "held both sides of a git merge"
    elif START.search(text) and text.endswith("\n"):
        why = "was damaged"
    said = [f"{len(whole)} of its stages were whole"]
    for found, words in ((_kept(root / KEPT), "as they were when the last stage began"),
                         (_of_git(root), "as git has them")):
        lost = {name: entry for name, entry in found.items() if name not in whole}
        whole |= lost
        if lost or words.startswith("as git"):
            said.append(f"{len(lost)} more are {words}")
    _write(root, whole, dumps_yaml)
    if runs := _of_runs(root, whole):
        _write(root, whole | runs, dumps_yaml)
        said.append(f"{len(runs)} more are as DVC's cache has kept their runs with these inputs")
    return (f"{LOCK} {why}. {', '.join(said)}. `dvc repro` (`make repro`) compares them with what is here, and "
            "what does not fit, or is missing, it takes from its cache or runs again.")


def _write(root: Path, stages: Stages, dumps: Callable[[Any], str]) -> None:
    if stages:
        files.write(root / LOCK, dumps({"schema": "2.0", "stages": stages}))
    else:
        (root / LOCK).unlink(missing_ok=True)


def _readable(text: str) -> Stages:
    """The stages of a lock that are whole, each read on its own. The last one is not, unless its last line has its end:
    the rest of it may be missing.
    """
    from dvc.utils.serialize import parse_yaml_for_update

    marks = [*(match.start() for match in START.finditer(text)), None]
    found: Stages = {}
    for start, end in pairwise(marks):
        piece = HEAD + text[start:end]
        if end is None and not (piece.endswith("\n") and "\n    outs:\n" in piece):
            continue
        if _stages(piece):
            found |= parse_yaml_for_update(piece, LOCK)["stages"]
    return found


def _kept(path: Path) -> Stages:
    text = _text(path) if path.exists() else ""
    return _readable(text) if _stages(text) and text.endswith("\n") else {}


def _of_git(root: Path) -> Stages:
    """The newest version of the lock in git that is whole; {} where there is none."""
    for version in VERSIONS:
        try:
            done = subprocess.run(["git", "show", f"{version}{LOCK}"], cwd=root, capture_output=True)
        except FileNotFoundError:  # no git
            return {}
        text = done.stdout.decode("utf-8", "replace")
        if done.returncode == 0 and text.endswith("\n") and _stages(text):
            return _readable(text)
    return {}


def _of_runs(root: Path, known: Stages) -> Stages:
    """Of stages that are not `known`, what DVC's cache has kept of a run with the inputs that are here."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.repo.reproduce import plan_repro
    from dvc.stage.cache import _can_hash

    found: Stages = {}
    try:
        with Repo(str(root)) as repo:
            for stage in plan_repro(repo.index.graph):
                if (name := getattr(stage, "name", None)) in known or not name:
                    continue
                try:
                    stage.save_deps()
                except DvcException:  # an input that is not here
                    continue
                if _can_hash(stage) and (entry := repo.stage_cache._load(stage)):
                    found[name] = entry
    except DvcException:  # dvc.yaml cannot be read: what is wrong with it, `dvc repro` says
        return {}
    return found


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
    if not all(HASH.fullmatch(str(one["md5"])) for each in items for one in each if "md5" in one):
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
