"""Runs that hold rows which are forgotten: found, and removed for good, with what they logged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
            _remove(client, experiment, run)
    if found and server.address() is None:
        with closing(sqlite3.connect(store.database(root))) as connection:
            connection.execute("VACUUM")  # else what was deleted stays in the file until something is written over it
    return len(found)


def _remove(client: MlflowClient, experiment: str, run: Any) -> None:
    """`run` with its seeds and models; in a database of our own for good, where MLflow only marks them as deleted."""
    name = run.info.run_id
    every = [name, *(each.info.run_id for each in
                     client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{name}'"))]
    models = [one.model_id for one in client.search_logged_models([experiment], f"source_run_id = '{name}'")]
    store.remove(client, experiment, run)
    if server.address() is None:  # as `mlflow gc` does it, which takes seconds, and all that anybody has deleted
        backend: Any = client._tracking_client.store
        for one in models:
            backend._hard_delete_logged_model(one)
        for one in every:
            backend._hard_delete_run(one)


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
