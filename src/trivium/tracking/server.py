"""The MLflow server that MLFLOW_TRACKING_URI names, where a team keeps its runs together. Without it: `store`.

The server decides where files lie, and other people write into the same experiment. So each run carries the tag
`owner`, and a sync changes or sweeps only runs of its own.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trivium.machine import vault
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from mlflow import MlflowClient

VARIABLE, NAME = "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"
# MLflow's own patience is 7 attempts of two minutes each, which looks like hanging.
PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "30", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
            "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1"}
OWNER = "owner"
PASSWORD = re.compile(r"//[^/\s]*@")  # that stands in an address


def address() -> str | None:
    """Of the server; None where runs go to mlruns/. Raises: UserError (the variable names something else)."""
    found = os.environ.get(VARIABLE, "").strip()
    if not found:
        return None
    if urlsplit(found).scheme not in ("http", "https"):
        raise UserError(f"{VARIABLE} is `{shown(found)}`, which is no MLflow server. Set it to http://HOST:PORT or "
                        "https://HOST, or unset it: then runs go to mlruns/.")
    return found.rstrip("/")


def shown(uri: str) -> str:
    """`uri` without the password that may stand in it."""
    return PASSWORD.sub("//", uri)


def experiment() -> str:
    """Its name on the server, and that of the registered model."""
    return os.environ.get(NAME, "").strip() or "trivium"


def owner(root: Path) -> str:
    """Who syncs, and from which folder, without its path: `anna@desk 1f0c`."""
    host = socket.gethostname()
    place = hashlib.blake2b(f"{host} {vault.real(root)}".encode(), digest_size=4).hexdigest()
    try:
        return f"{getpass.getuser()}@{host} {place}"
    except (KeyError, OSError):  # a container's user without a name
        return f"{host} {place}"


@contextmanager
def opened(root: Path) -> Iterator[tuple[MlflowClient, str]]:
    """A client and the id of the experiment; one process of this folder at a time.

    What a sync of this folder left half-written is removed first. Raises: UserError (the server does not answer,
    refuses, or fails on the way: what is written stays, and the next sync goes on there).
    """
    from trivium.tracking import store

    where = address()
    if where is None:
        raise ValueError(f"{VARIABLE} is not set")
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    store.settle()
    from filelock import FileLock
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException

    store.mute()
    mine = f"tags.{OWNER} = '{owner(root)}'"
    lock = store.database(root).with_name(".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        client, number = MlflowClient(tracking_uri=where), ""
        try:
            found = client.get_experiment_by_name(experiment())
            if found is not None and found.lifecycle_stage == "deleted":
                client.restore_experiment(found.experiment_id)
            number = found.experiment_id if found is not None else client.create_experiment(experiment())
            store.sweep(client, number, mine)
            yield client, number
        except (MlflowException, RequestException) as error:
            raise UserError(f"MLflow at {shown(where)}: {_why(error)} Nothing is lost: all results are here, and the "
                            "next `trivium sync` writes what is missing there.") from error
        except (KeyboardInterrupt, SystemExit):  # no half-written run stays behind, if the server can be told
            with suppress(MlflowException, RequestException):
                store.sweep(client, number, mine)
            raise


def _why(error: Exception) -> str:
    status = getattr(error, "get_http_status_code", lambda: None)()
    words = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if status in (401, 403) or " 401" in words or " 403" in words:
        return ("it refuses you. Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
                "MLFLOW_TRACKING_TOKEN.")
    if "Max retries exceeded" in words or "Connection" in words or "timed out" in words:
        return "it does not answer."
    return f"it answered with an error ({PASSWORD.sub('//', words)[:300]})."
