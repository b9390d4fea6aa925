"""The recommended strategy's model in MLflow's registry: `models:/trivium@recommended`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

MODEL, ALIAS, UPDATED = "trivium", "recommended", "updated"
ABOUT = ("The best seed of the strategy that the last comparison recommends. "
         "Load it with mlflow.pyfunc.load_model(\"models:/trivium@recommended\").")


def withdraw(client: MlflowClient) -> None:
    """Nothing is recommended: the alias points to no model any more."""
    for model in client.search_registered_models(f"name = '{MODEL}'"):
        if ALIAS in model.aliases:
            client.delete_registered_model_alias(MODEL, ALIAS)


def register(client: MlflowClient, experiment: str, run: str, strategy: str) -> str | None:
    """Let the alias point to the model that was logged by `run`; returns its version.

    A model that is registered already keeps its version. None where the run logged no model.
    """
    models = client.search_logged_models([experiment], f"source_run_id = '{run}'")
    if not models:
        return None
    model, name = models[0].model_id, f"name = '{MODEL}'"
    if not client.search_registered_models(name):
        client.create_registered_model(MODEL, description=ABOUT)
    known = {one.tags.get("model_id"): one.version for one in client.search_model_versions(name)}
    version = known.get(model)
    if version is None:
        tags = {"strategy": strategy, "model_id": model}
        version = client.create_model_version(MODEL, models[0].artifact_location, run, tags).version
    client.set_registered_model_alias(MODEL, ALIAS, version)
    return str(version)


def update(client: MlflowClient, run: str, model: tuple[str, str], tags: dict[str, str], words: str) -> tuple[str, str]:
    """A further version, whose description and tags say where it comes from; the alias `updated` points to it. Returns
    its number and that of its parent, the recommended one, "" without.

    model: id and place of what `run` logged.
    """
    name = f"name = '{MODEL}'"
    found = client.search_registered_models(name)
    if not found:
        client.create_registered_model(MODEL, description=ABOUT)
    before = str(found[0].aliases.get(ALIAS, "")) if found else ""
    described = f"{words} It comes from version {before}." if before else words
    made = client.create_model_version(MODEL, model[1], run, tags | {"model_id": model[0], "parent_version": before},
                                       description=described)
    client.set_registered_model_alias(MODEL, UPDATED, made.version)
    return str(made.version), before
