"""Where runs go, and where people look at them, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Literal

from trivium.settings.errors import UserError
from trivium.tracking import server, store, view
from trivium.tracking.answers import shown, version, why


def link(where: str) -> str:
    """Of the page with the runs on the server at `where`; its address where it does not say which experiment it is."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException

    with server.patience(server.LEAVING), suppress(MlflowException, RequestException):
        if found := MlflowClient(tracking_uri=where).get_experiment_by_name(server.experiment()):
            return view.link(shown(where), found.experiment_id)
    return shown(where)


def examined() -> Iterator[tuple[Literal["ok", "advice", "wrong"], str]]:
    """Where runs go, and whether one gets there, for `trivium doctor`."""
    try:
        where = server.address()
    except UserError as error:
        yield "wrong", str(error)
        return
    if where is None:
        yield "ok", "MLflow runs go to mlruns/"
        return
    store.settle()
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException

    store.mute()
    said = f"MLflow runs go to {shown(where)}, experiment `{server.experiment()}`"
    try:
        found = version(where)
    except UserError as error:
        yield "advice", f"{said}, but {error}"
    except (MlflowException, RequestException) as error:
        yield "advice", f"{said}, but {why(error)}"
    else:
        yield "ok", f"{said} (MLflow {found})" if found else said
