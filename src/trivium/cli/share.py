"""`trivium push` and `trivium pull`: what stages left behind goes to DVC's remote and comes from there, with its costs.

Costs (`reports/measured`) are no outs, since they differ each time. They travel in a small file of git's, and what they
belong to is told by the hashes of the outs: costs of other outs stay away.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from trivium.data.tables import digest, read_yaml
from trivium.experiments.dvc import dvc
from trivium.machine import files, vault
from trivium.machine.measured import PLACE
from trivium.settings.errors import UserError

CARRIED = Path("reports/measured.json")
COMMITTED = ("dvc.lock", "params.yaml", "reports/comparison.json", "reports/summary", str(CARRIED))


class One(BaseModel):
    """A file of reports/measured. outs: a digest of the hashes of its stage's outs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outs: str
    figures: dict[str, Any]


def push(root: Path) -> str:
    """Send data and models to the remote, and write what stages cost to `CARRIED`; what is to be committed, in words.

    Raises: UserError (DVC could not send).
    """
    marks = _marks(root)
    found = {path.name: One(outs=marks[stage], figures=figures).model_dump()
             for path in sorted((root / PLACE).glob("*.json"))
             if (stage := path.name.split(".")[0]) in marks and (figures := files.read_json_or(path, None))}
    if found:
        files.write(root / CARRIED, json.dumps(found, indent=1) + "\n")
    if dvc(root, "push"):
        raise UserError("DVC could not push: what it says stands above. `dvc remote list` shows where to; "
                        "docs/teams.md says how to set a remote.")
    names = " ".join(name for name in COMMITTED if (root / name).exists())
    return ("Data and models are at the remote. What belongs to them goes into git:\n"
            f"  git add {names} && git commit && git push")


def pull(root: Path) -> str:
    """Bring data and models of the commit that is checked out, the costs that were measured with them, and the report.

    A file of costs that is here already stays. Raises: UserError (DVC could not fetch all of it).
    """
    failed = dvc(root, "pull")
    count = _unpack(root)
    if failed:
        raise UserError("DVC could not fetch everything: what it says stands above. Did the author run "
                        "`trivium push`? `dvc remote list` shows where from.")
    from trivium.report import html

    with vault.here():
        report = f"The report is {html.OUT}." if html.refresh(root) else "There is no comparison yet."
    costs = f"Costs of {count} stages came with them." if count else (
        "No costs came with them: `trivium push` writes them into reports/measured.json, which goes into git.")
    return f"Data and models are here. {costs} {report}"


def _unpack(root: Path) -> int:
    """Stages whose costs are here now and were not."""
    marks, stages = _marks(root), set()
    carried = files.read_json_or(root / CARRIED, {}).items()
    for name, one in sorted(carried, key=lambda item: item[0].startswith("compare")):  # the last stage, by time too
        stage, path = name.split(".")[0], root / PLACE / Path(name).name
        if marks.get(stage) == one.get("outs") and not files.read_json_or(path, None):
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write(path, json.dumps(one["figures"], indent=1))
            stages.add(stage)
    return len(stages)


def _marks(root: Path) -> dict[str, str]:
    """Stage -> digest of its outs, by dvc.lock."""
    stages = read_yaml(root / "dvc.lock").get("stages", {}) if (root / "dvc.lock").exists() else {}
    return {name: digest(json.dumps([[out["path"], out.get("md5")] for out in stage.get("outs", ())]).encode())
            for name, stage in stages.items()}
