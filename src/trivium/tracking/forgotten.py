"""Runs that hold rows which are forgotten: found, and removed for good, with what they logged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.settings.errors import UserError
from trivium.tracking import registry, server, store

if TYPE_CHECKING:
    from mlflow import MlflowClient

RAW = "dvc.data/raw"  # the tag of a run for the data that it comes from


def there(root: Path) -> bool:
    """Whether there is any store to look into. Raises: UserError (see `server.address`)."""
    return server.address() is not None or store.database(root).exists()


def runs(root: Path, holds: Callable[[str], bool], old: bool) -> list[str]:
    """Names of those that hold such rows. holds: whether a version of data/raw has any, by its hash;  old: whether the
    present outs have. Raises: UserError (the store cannot be read).
    """
    with store.opened(root) as (client, experiment):
        return [run.info.run_name for run in _holding(root, client, experiment, holds, old)]


def remove(root: Path, holds: Callable[[str], bool], old: bool) -> int:
    """Remove these runs, their seeds, models and registered versions; how many. Raises: UserError (see `runs`)."""
    with store.opened(root) as (client, experiment):
        found = list(_holding(root, client, experiment, holds, old))
        gone = {run.info.run_id for run in found}
        for version in client.search_model_versions(f"name = '{registry.model()}'"):
            if version.run_id in gone:
                client.delete_model_version(version.name, version.version)
        for run in found:
            store.remove(client, experiment, run)
    if found and server.address() is None:
        _purge(root)
    return len(found)


def _purge(root: Path) -> None:
    """What MLflow has only marked as deleted leaves the database, and the file."""
    command = [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", store.uri(root)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise UserError(f"`mlflow gc --backend-store-uri {store.uri(root)}` failed ({' '.join(last)}): the runs are "
                        "deleted, but rows of the database are left of them.")
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(store.database(root))) as connection:
        connection.execute("VACUUM")  # else what was deleted stays in the file until something is written over it


def _holding(root: Path, client: MlflowClient, experiment: str, holds: Callable[[str], bool], old: bool,
             ) -> Iterator[Any]:
    mine = server.owner(root) if server.address() else None
    token: str | None = ""
    while token is not None:
        page = client.search_runs([experiment], max_results=1000, page_token=token or None)
        for run in page:
            tags = run.data.tags
            if "mlflow.parentRunId" in tags or tags.get("dataset", "manifest") != "manifest":
                continue  # a seed goes with its strategy; generated data are about nobody
            if mine is not None and tags.get(server.OWNER) != mine:
                continue
            if holds(tags[RAW]) if RAW in tags else (old or tags.get("latest") != "true"):
                yield run
        token = page.token or None
