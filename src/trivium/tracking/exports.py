"""Exported models beside the runs on a server, where others find them: in mlruns/ they would lie twice on one disk.

What is to be uploaded is written down first, so that a server that fails now gets it with the next sync.
"""

from __future__ import annotations

import json
from pathlib import Path

from trivium.machine import files
from trivium.tracking import outs, server, store

PLACE = "export"  # of the folder among the artifacts of the strategy's run


def promise(root: Path, strategy: str, folder: Path) -> None:
    """The export of `strategy` in `folder` is to be uploaded. Nothing where there is no server."""
    mark = next((one.fingerprint for one in outs.read(root).outcomes if one.name == strategy), None)
    if server.address() and mark:
        _write(root, late(root) | {mark: str(folder.resolve())})


def late(root: Path) -> dict[str, str]:
    """Fingerprint of the strategy's outs -> folder, of what no sync has uploaded yet."""
    try:
        found = json.loads(_place(root).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(mark): str(folder) for mark, folder in found.items() if Path(folder).is_dir()}


def write(root: Path, strategies: dict[str, str]) -> list[str]:
    """Upload what is promised of the runs of `strategies` (fingerprint -> name). Returns what was done, in words.

    Raises: UserError (the server fails; the promise stays).
    """
    said, promised = [], late(root)
    todo = {mark: Path(folder) for mark, folder in promised.items() if mark in strategies} if server.address() else {}
    if todo:
        with store.opened(root) as (client, experiment):
            for mark, folder in todo.items():
                where = f"attributes.status = 'FINISHED' AND tags.fingerprint = '{mark}' AND tags.kind = 'parent'"
                for run in client.search_runs([experiment], where, max_results=1):
                    store.upload(client, run.info.run_id, folder, PLACE)
                    said.append(f"The export of `{strategies[mark]}` is in `{PLACE}/` of its run.")
                del promised[mark]
                _write(root, promised)
    return said


def _place(root: Path) -> Path:
    return store.database(root).with_name("exports.json")


def _write(root: Path, promised: dict[str, str]) -> None:
    files.write(_place(root), json.dumps(promised, indent=1, sort_keys=True) + "\n")
