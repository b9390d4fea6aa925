"""The MLflow store in mlruns/: one SQLite file, one experiment. It is a view: what is in it can be made again. Where
MLFLOW_TRACKING_URI names a server, that is written to instead (`server`).

Artifact locations are absolute in MLflow, so they are set when the store is made and mended when the repository moved.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from trivium.machine import vault
from trivium.machine.imports import fast
from trivium.settings.errors import UserError
from trivium.settings.failures import of_machine
from trivium.tracking import server

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

EXPERIMENT = "trivium"
PATHS = (("experiments", "artifact_location"), ("runs", "artifact_uri"), ("logged_models", "artifact_location"),
         ("model_versions", "source"), ("model_versions", "storage_location"))  # where MLflow keeps absolute paths


def database(root: Path) -> Path:
    return vault.real(root) / "mlruns/mlflow.db"


def artifacts(root: Path) -> Path:
    return vault.real(root) / "mlruns/artifacts"


def uri(root: Path) -> str:
    return f"sqlite:///{quote(str(database(root)))}"


def settle() -> None:
    """Environment of MLflow, before it is imported: nothing is sent anywhere, nothing is chatted about."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    os.environ["MLFLOW_DISABLE_AGENT_HINT"] = "true"
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")


def load(_: object = None) -> None:
    """Import what writing runs needs, which takes a second or two: a process that will write may do it early."""
    settle()
    with fast():
        import mlflow.pyfunc
        import mlflow.store.tracking.sqlalchemy_store  # noqa: F401  the client imports it when it is made


def state(root: Path) -> str | None:
    """What the last complete sync saw, without importing MLflow; None when there is no store, or it lies elsewhere."""
    path = database(root)
    if not path.exists():
        return None
    query = ("SELECT e.artifact_location, t.value FROM experiments e JOIN experiment_tags t USING (experiment_id) "
             "WHERE e.name = ? AND t.key = 'trivium.state' AND e.lifecycle_stage = 'active'")
    try:
        with closing(sqlite3.connect(path)) as connection:
            row = connection.execute(query, (EXPERIMENT,)).fetchone()
    except sqlite3.DatabaseError:  # of another MLflow version, or damaged: `opened` says so
        return None
    return row[1] if row and row[0] == str(artifacts(root)) and artifacts(root).is_dir() else None


def experiment_id(root: Path) -> str:
    """The experiment of a store that is there and lies where it thinks; else of one made or mended now."""
    if state(root) is not None:
        with closing(sqlite3.connect(database(root))) as connection:
            query = "SELECT experiment_id FROM experiments WHERE name = ?"
            return str(connection.execute(query, (EXPERIMENT,)).fetchone()[0])
    with opened(root) as (_, found):
        return found


@contextmanager
def opened(root: Path, hurry: bool = False) -> Iterator[tuple[MlflowClient, str]]:
    """A client and the id of the experiment; one process at a time. hurry: see `server`

    Raises: UserError (the store cannot be read; the server does not do what it is asked).
    """
    if server.address() is not None:
        with server.opened(root, hurry) as found:
            yield found
        return
    settle()
    from filelock import FileLock

    database(root).parent.mkdir(parents=True, exist_ok=True)
    with FileLock(database(root).parent / ".lock"):
        try:
            if not database(root).exists():
                with suppress(OSError):  # an environment that cannot be written to: MLflow migrates on the spot
                    part = shutil.copyfile(blank(), database(root).with_suffix(".part"))
                    part.replace(database(root))
            relocate(root)
            client = _client(uri(root))
            experiment = _experiment(client, root)
        except Exception as error:
            if of_machine(error):  # a full disk: the store is well
                raise
            raise UserError(f"The MLflow store {database(root)} cannot be opened ({error}). It is only a view of the "
                            "outs: delete everything in mlruns/ but README.md, then run `trivium sync`.") from error
        sweep(client, experiment)
        try:
            yield client, experiment
        finally:  # also on Ctrl-C and SIGTERM: no half-written run stays behind
            sweep(client, experiment)


def blank() -> Path:
    """An empty database of this MLflow version, kept in the Python environment; made when it is not there.

    MLflow starts each new database with all the migrations of its history, which takes seconds. Raises: OSError.
    """
    settle()
    path = Path(sys.prefix) / f"share/trivium/mlflow-{version('mlflow')}.db"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            made = Path(scratch) / path.name
            _client(f"sqlite:///{made}")
            with closing(sqlite3.connect(made)) as connection, connection:
                connection.execute("DELETE FROM experiments")  # MLflow's default one, with the path of this place
            made.replace(path)
    return path


def _client(address: str) -> MlflowClient:
    from mlflow import MlflowClient
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    # Hundreds of small transactions: without waiting for the disk each time they take a tenth of it. A power cut may
    # cost the store, which can be made again.
    if not event.contains(Engine, "connect", _no_waiting):
        event.listen(Engine, "connect", _no_waiting)
    mute()
    return MlflowClient(tracking_uri=address, registry_uri=address)  # whatever MLFLOW_REGISTRY_URI says


def mute() -> None:
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in ("mlflow.store.db.utils", "sqlalchemy"):  # they print the whole stack of what they raise as well
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _no_waiting(connection: sqlite3.Connection, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


def _experiment(client: MlflowClient, root: Path) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        shutil.rmtree(artifacts(root), ignore_errors=True)  # of a store that is no more
        return client.create_experiment(EXPERIMENT, artifact_location=str(artifacts(root)))
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return found.experiment_id


def relocate(root: Path) -> None:
    """Point a store that was made in another folder to this one; runs and their history stay."""
    if not database(root).exists():
        return
    new = str(artifacts(root))
    with closing(sqlite3.connect(database(root))) as connection, connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'experiments'").fetchone():
            return  # an empty file: a first sync was killed
        row = connection.execute("SELECT artifact_location FROM experiments WHERE name = ?", (EXPERIMENT,)).fetchone()
        if row is None or row[0] == new:
            return
        old = row[0]
        for table, column in PATHS:
            update = f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?"
            connection.execute(update, (new, len(old) + 1, len(old), old))


def sweep(client: MlflowClient, experiment: str, which: str = "tags.fingerprint != ''") -> None:
    """Remove the runs that a killed sync left half-written, with their seeds and models. Other people's runs stay."""
    for run in client.search_runs([experiment], f"attributes.status != 'FINISHED' AND {which}"):
        remove(client, experiment, run)


def local(uri: str) -> Path | None:
    """The folder on this machine that `uri` names; None for one on a server."""
    from mlflow.utils.file_utils import local_file_uri_to_path

    return Path(local_file_uri_to_path(uri)) if urlsplit(uri).scheme in ("", "file") else None


def remove(client: MlflowClient, experiment: str, run: Run) -> None:
    """`run` with its seeds and models. It goes last, so that whoever is interrupted here finds it again."""
    children = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    remove_models(client, experiment, run.info.run_id)
    for each in [*children, run]:
        if each.info.status == "RUNNING":
            client.set_terminated(each.info.run_id, "KILLED")
        client.delete_run(each.info.run_id)
        if folder := local(each.info.artifact_uri):  # a server's own files are its own to remove (`mlflow gc`)
            shutil.rmtree(folder, ignore_errors=True)


def remove_models(client: MlflowClient, experiment: str, run: str, but: str | None = None) -> None:
    """The models of `run`, without the one whose id is `but`."""
    from mlflow.exceptions import MlflowException

    for model in client.search_logged_models([experiment], f"source_run_id = '{run}'"):
        if model.model_id != but:
            try:
                client.delete_logged_model(model.model_id)
            except MlflowException as error:  # gone already: the answer was lost, and the question came again
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise


def upload(client: MlflowClient, run: str, path: Path, place: str | None = None) -> None:
    """The file at `path`, or what is in the folder, into the artifacts of `run`, below `place`."""
    with server.uploading(path):
        (client.log_artifacts if path.is_dir() else client.log_artifact)(run, str(path), place)
