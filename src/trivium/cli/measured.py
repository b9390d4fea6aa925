"""What stages measured (`reports/measured`), made again where it is empty or broken.

It is no out of DVC, so that `dvc repro` sees no reason to run a stage for it. The stage is run once more: what it
trained before, it finds finished, and the same inputs give the same outs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from trivium.experiments.dvc import dvc
from trivium.machine import vault
from trivium.machine.measured import PLACE, Measured, Sampled
from trivium.settings.errors import UserError


def broken(root: Path) -> list[Path]:
    """The files that hold nothing which can be read."""
    return [path for path in sorted((root / PLACE).glob("*.json"))
            if (Sampled if path.stem.endswith(".system") else Measured).found(path) is None]


def again(root: Path, say: Callable[[str], None]) -> None:
    """Run the stages of what is `broken`, where nothing else about them has changed; the other files are removed:
    `dvc repro` runs their stages, or there are none any more.
    """
    if not (found := broken(root)):
        return
    stages = dict.fromkeys(path.name.split(".")[0] for path in found)  # train@a.json, train@a.system.json
    same = unchanged(root)
    if ready := [stage for stage in stages if stage in same]:
        names = ", ".join(str(path.relative_to(root)) for path in found if path.name.split(".")[0] in ready)
        say(f"{names}: empty or broken. To measure again, DVC runs {', '.join(ready)} once more.")
        dvc(root, "repro", "--force", "--single-item", *ready)
    for path in broken(root):
        path.unlink()
        say(f"{path.relative_to(root)} was empty or broken, and is removed. The report does without its figures until "
            f"{path.name.split('.')[0]} runs again.")
    from trivium.report import html

    (root / html.OUT).unlink(missing_ok=True)  # else it is kept, being of the same comparison
    with suppress(UserError), vault.here():  # an out that is broken as well, which is for `dvc repro`
        html.refresh(root)


def unchanged(root: Path) -> set[str]:
    """The stages that `dvc repro` would not run for changes of their own."""
    return {stage for stage, changes in changed(root).items() if not changes}


def changed(root: Path) -> dict[str, list[Any]]:
    """What `dvc status` has to say of each stage; {} where DVC cannot say it."""
    def ask(*words: str) -> str:
        done = subprocess.run([sys.executable, "-m", "dvc", *words], cwd=root, capture_output=True, text=True)
        return "" if done.returncode else done.stdout

    names, said = ask("stage", "list", "--name-only").split(), ask("status", "--json")
    return {name: [] for name in names} | json.loads(said) if said else {}
