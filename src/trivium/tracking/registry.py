"""The recommended strategy's model in MLflow's registry: `models:/trivium@recommended`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trivium.tracking import server, store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

ALIAS, UPDATED = "recommended", "updated"


def model() -> str:
    """Its name; on a server, where there may be several projects, that of the experiment."""
    return server.experiment() if server.address() else "trivium"


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
    versions = client.search_model_versions(f"name = '{model()}'")
    version = {one.tags.get("model_id"): one.version for one in versions}.get(made.model_id)
    if version is None:
        tags = {"strategy": strategy, "model_id": made.model_id} | ({server.OWNER: owner} if owner else {})
        version = client.create_model_version(model(), source(made), run, tags, model_id=made.model_id).version
    client.set_registered_model_alias(model(), ALIAS, version)
    return str(version)


def _ready(client: MlflowClient) -> dict[str, str]:
    """The registered model is there: alias -> version."""
    found = client.search_registered_models(f"name = '{model()}'")
    if not found:
        client.create_registered_model(model(), description=about())
    return dict(found[0].aliases) if found else {}


def update(client: MlflowClient, run: str, made: LoggedModel, tags: dict[str, str], words: str) -> tuple[str, str]:
    """A further version, whose description and tags say where it comes from; the alias `updated` points to it. Returns
    its number and that of its parent, the recommended one, "" without.

    made: what `run` logged.
    """
    before = str(_ready(client).get(ALIAS, ""))
    described = f"{words} It comes from version {before}." if before else words
    tags = tags | {"model_id": made.model_id, "parent_version": before}
    version = client.create_model_version(model(), source(made), run, tags, description=described,
                                          model_id=made.model_id).version
    client.set_registered_model_alias(model(), UPDATED, version)
    return str(version), before
