"""The recommended strategy's model in MLflow's registry: `models:/trivium@recommended`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trivium.tracking import server, store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

ALIAS, UPDATED = "recommended", "updated"


def model() -> str:
    """Its name; on a server, where there may be several projects, that of the experiment, as far as MLflow takes it."""
    return re.sub(r"[/:'\"]", "_", server.experiment()) if server.address() else "trivium"


def about() -> str:
    return ("The best seed of the strategy that the last comparison recommends. "
            f"Load it with mlflow.pyfunc.load_model(\"models:/{model()}@{ALIAS}\").")


def source(made: LoggedModel) -> str:
    """Where a version comes from: the folder on this machine, or the model on the server."""
    return made.artifact_location if store.local(made.artifact_location) else f"models:/{made.model_id}"


def withdraw(client: MlflowClient, owner: str | None = None) -> None:
    """Nothing is recommended: the alias points to no model any more, unless it is that of another `owner`."""
    for found in client.search_registered_models(f"name = '{model()}'"):
        if ALIAS in found.aliases:
            version = client.get_model_version(model(), found.aliases[ALIAS])
            if version.tags.get(server.OWNER) == owner:
                client.delete_registered_model_alias(model(), ALIAS)


def register(client: MlflowClient, experiment: str, run: str, strategy: str,
             owner: str | None = None) -> str | None:
    """Let the alias point to the model that was logged by `run`; returns its version.

    A model that is registered already keeps its version. None where the run logged no model.
    """
    models = client.search_logged_models([experiment], f"source_run_id = '{run}'")
    if not models:
        return None
    made = models[0]
    _ready(client)
    if (version := _version(client, run, made)) is None:
        tags = {"strategy": strategy, "model_id": made.model_id} | ({server.OWNER: owner} if owner else {})
        version = _create(client, run, made, tags)
    client.set_registered_model_alias(model(), ALIAS, version)
    return version


def _version(client: MlflowClient, run: str, made: LoggedModel) -> str | None:
    """That of `made`, what `run` logged; of several, which an answer that was lost may have made, the first."""
    found = client.search_model_versions(f"name = '{model()}' and run_id = '{run}'")
    own = sorted((one for one in found if one.tags.get("model_id") == made.model_id), key=lambda one: int(one.version))
    for one in own[1:]:
        client.delete_model_version(model(), one.version)
    return str(own[0].version) if own else None


def _create(client: MlflowClient, run: str, made: LoggedModel, tags: dict[str, str], words: str | None = None) -> str:
    new = client.create_model_version(model(), source(made), run, tags, description=words, model_id=made.model_id)
    return (_version(client, run, made) if server.address() else None) or str(new.version)


def _ready(client: MlflowClient) -> dict[str, str]:
    """The registered model is there: alias -> version."""
    from mlflow.exceptions import MlflowException

    found = client.search_registered_models(f"name = '{model()}'")
    if not found:
        try:
            client.create_registered_model(model(), description=about())
        except MlflowException as error:  # by somebody else in this moment, or by a call whose answer was lost
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
    return dict(found[0].aliases) if found else {}


def update(client: MlflowClient, run: str, made: LoggedModel, tags: dict[str, str], words: str) -> tuple[str, str]:
    """A further version, whose description and tags say where it comes from; the alias `updated` points to it. Returns
    its number and that of its parent, the recommended one, "" without.

    made: what `run` logged.
    """
    before = str(_ready(client).get(ALIAS, ""))
    described = f"{words} It comes from version {before}." if before else words
    tags = tags | {"model_id": made.model_id, "parent_version": before}
    version = _version(client, run, made) or _create(client, run, made, tags, described)
    client.set_registered_model_alias(model(), UPDATED, version)
    return version, before
