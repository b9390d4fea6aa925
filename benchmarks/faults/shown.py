"""What an MLflow experiment shows, without what differs from one sync to the next: ids and times."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from mlflow import MlflowClient

LINES = ("train/", "val/", "budget/", "system/")  # metrics with a history
OWN = {"mlflow.parentRunId", "owner", "commit"}  # tags with an id, or of who wrote it
DATED = {"MLmodel"}  # files that say when they were written


def shown(url: str, experiment: str, files: Path) -> dict[str, Any]:
    """Everything that people see of `experiment` on the server at `url`, sorted. Equal if and only if nothing is lost
    and nothing there twice.

    files: the folder where the server keeps them (`--artifacts-destination`)
    """
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=url)
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return {}
    runs = list(client.search_runs([found.experiment_id], max_results=5000))
    names = {run.info.run_id: run.info.run_name for run in runs}
    models = list(client.search_logged_models([found.experiment_id], max_results=100))
    return {"runs": sorted((_run(client, run, names, files) for run in runs), key=str),
            "models": sorted((_model(model, names, files) for model in models), key=str),
            "registered": _registered(client, experiment, names),
            "tags": {key: value for key, value in sorted(found.tags.items()) if "trivium.state" not in key}}


def _run(client: MlflowClient, run: Any, names: dict[str, str], files: Path) -> dict[str, Any]:
    lines = {key: [(one.step, one.value) for one in client.get_metric_history(run.info.run_id, key)]
             for key in sorted(run.data.metrics) if key.startswith(LINES)}
    inputs = sorted((one.dataset.name, one.dataset.digest) for one in run.inputs.dataset_inputs)
    return {"name": run.info.run_name, "status": run.info.status,
            "parent": names.get(run.data.tags.get("mlflow.parentRunId", "")), "metrics": run.data.metrics,
            "lines": lines, "params": run.data.params, "inputs": inputs,
            "tags": {key: value for key, value in run.data.tags.items() if key not in OWN},
            "files": _files(files, run.info.artifact_uri),
            "models": len(run.outputs.model_outputs) if run.outputs else 0}


def _model(model: Any, names: dict[str, str], files: Path) -> dict[str, Any]:
    metrics = sorted((one.key, one.value, one.step) for one in model.metrics or ())
    return {"name": model.name, "status": str(model.status), "run": names.get(model.source_run_id),
            "tags": {key: value for key, value in model.tags.items() if not key.startswith("mlflow.")},
            "metrics": metrics, "files": _files(files, model.artifact_location)}


def _registered(client: MlflowClient, name: str, names: dict[str, str]) -> dict[str, Any]:
    found = client.search_registered_models(f"name = '{name}'")
    if not found:
        return {}
    versions = sorted(client.search_model_versions(f"name = '{name}'"), key=lambda one: int(one.version))
    return {"aliases": {key: str(value) for key, value in found[0].aliases.items()}, "about": found[0].description,
            "versions": [(str(one.version), one.status, names.get(one.run_id or ""), one.tags.get("strategy"))
                         for one in versions]}


def _files(folder: Path, uri: str) -> dict[str, str]:
    """Path -> digest of the content of what the server keeps under `uri`."""
    home = folder / urlsplit(uri).path.lstrip("/")
    return {str(path.relative_to(home)): "" if path.name in DATED else
            hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
            for path in sorted(home.rglob("*")) if path.is_file()}
