"""The MLflow server that MLFLOW_TRACKING_URI names, where a team keeps its runs together. Without it: `store`.

The server decides where files lie, and other people write into the same experiment. So each run carries the tag
`owner`, and a sync changes or sweeps only runs of its own. An answer that was lost on the way is asked for again, so
that something may be made twice: what nobody finished is swept when all is written.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from trivium.settings.errors import UserError
from trivium.tracking.answers import shown, version, why

if TYPE_CHECKING:
    from mlflow import MlflowClient

VARIABLE, NAME = "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"
TIMEOUT, RETRIES, BACKOFF = (f"MLFLOW_HTTP_REQUEST_{what}" for what in ("TIMEOUT", "MAX_RETRIES", "BACKOFF_FACTOR"))
# MLflow's own patience is 7 attempts of two minutes each, which looks like hanging.
PATIENCE = {TIMEOUT: "30", RETRIES: "3", BACKOFF: "1"}
HURRY = {TIMEOUT: "10", RETRIES: "1", BACKOFF: "1"}  # of a stage, which others wait for
LEAVING = {TIMEOUT: "2", RETRIES: "0"}  # of the last words to a server that failed
LIMIT = 120.0  # seconds that a stage spends on it
SLOWEST = 1_000_000  # bytes per second that a server takes at least
HERE = ("127.0.0.1", "localhost", "::1")
OWNER = "owner"


def address() -> str | None:
    """Of the server; None where runs go to mlruns/. Raises: UserError (the variable names something else)."""
    found = os.environ.get(VARIABLE, "").strip()
    if not found or _own(found):
        return None
    if urlsplit(found).scheme not in ("http", "https") or not urlsplit(found).hostname:
        raise UserError(f"{VARIABLE} is `{shown(found)}`, which is no MLflow server. Set it to http://HOST:PORT or "
                        "https://HOST, or unset it: then runs go to mlruns/.")
    return found.rstrip("/")


def _own(uri: str) -> bool:
    """Whether it is the store of this folder, which people name to load a model from it."""
    path = uri.removeprefix("sqlite:///")
    return path != uri and Path(unquote(path)).resolve() == Path("mlruns/mlflow.db").resolve()


def experiment() -> str:
    """Its name on the server."""
    return os.environ.get(NAME, "").strip() or "trivium"


def owner(root: Path) -> str:
    """Who syncs, and from which folder, without its path: `anna@desk 1f0c`."""
    host = socket.gethostname()
    place = hashlib.blake2b(f"{host} {root.resolve()}".encode(), digest_size=4).hexdigest()
    try:
        return f"{getpass.getuser()}@{host} {place}"
    except (KeyError, OSError):  # a container's user without a name
        return f"{host} {place}"


@contextmanager
def opened(root: Path, hurry: bool = False) -> Iterator[tuple[MlflowClient, str]]:
    """A client and the id of the experiment; one process of this folder at a time.

    What a sync of this folder left half-written is removed first, and again in the end. hurry: see `HURRY`

    Raises: UserError (the server does not answer, refuses, or fails on the way: what is written stays, and the next
    sync goes on there).
    """
    from trivium.tracking import store

    where = address()
    if where is None:
        raise ValueError(f"{VARIABLE} is not set")
    store.settle()
    from filelock import FileLock
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException

    store.mute()
    mine = f"tags.{OWNER} = '{owner(root)}'"
    lock = store.database(root).with_name(".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock), patience((HURRY if hurry else PATIENCE) | dict(os.environ)):
        client, number = MlflowClient(tracking_uri=where), ""
        try:
            _ask(where)
            number = _experiment(client, where)
            store.sweep(client, number, mine)
            yield client, number
            store.sweep(client, number, mine)
        except BaseException as error:
            if number:  # no half-written run stays behind, if the server can be told
                with patience(LEAVING), suppress(MlflowException, RequestException):
                    store.sweep(client, number, mine)
            if isinstance(error, MlflowException | RequestException):
                raise failed(where, why(error)) from error
            if isinstance(error, ModuleNotFoundError):
                raise failed(where, f"its files lie where only the package `{error.name}` reaches. Install that, or "
                                    "start the server with --serve-artifacts.") from error
            raise


def failed(where: str, words: str) -> UserError:
    return UserError(f"MLflow at {shown(where)}: {words} Nothing is lost: all results are here, and the next `trivium "
                     "sync` writes what is missing there.")


def slow() -> UserError:
    return failed(str(address()), f"it is so slow that {LIMIT:.0f} s were not enough.")


def _ask(where: str) -> None:
    try:
        version(where)
    except UserError as error:
        raise failed(where, str(error)) from error


def _experiment(client: MlflowClient, where: str) -> str:
    """Its id. Raises: UserError (its files would lie in a folder of another machine)."""
    from mlflow.exceptions import MlflowException

    from trivium.tracking import store

    if client.get_experiment_by_name(experiment()) is None:
        try:
            client.create_experiment(experiment())
        except MlflowException as error:  # by somebody else in this moment, or by a call whose answer was lost
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
    found = client.get_experiment_by_name(experiment())
    if found is None:
        raise failed(where, f"it does not show the experiment `{experiment()}` that was just made there.")
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    if store.local(found.artifact_location) and urlsplit(where).hostname not in HERE:
        raise failed(where, f"files of the experiment `{experiment()}` lie in a folder of that machine "
                            f"({found.artifact_location}), which nobody else reaches. Start the server with "
                            "--serve-artifacts, and name another experiment in MLFLOW_EXPERIMENT_NAME.")
    return str(found.experiment_id)


@contextmanager
def uploading(path: Path) -> Iterator[None]:
    """More time where the files at `path` are large: the server answers when it has stored the last byte."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    largest = max((file.stat().st_size for file in files), default=0)
    with patience({TIMEOUT: str(int(os.environ.get(TIMEOUT, PATIENCE[TIMEOUT])) + largest // SLOWEST)}):
        yield


@contextmanager
def patience(values: Mapping[str, str]) -> Iterator[None]:
    """MLflow asks for its patience before each request."""
    before = {name: os.environ.get(name) for name in PATIENCE}
    os.environ.update({name: values[name] for name in PATIENCE if name in values})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({} if value is None else {name: value})
