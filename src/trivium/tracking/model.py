"""The best seed of a strategy as an MLflow model that stands alone: weights, preprocessing and code."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.modalities.anonymised import NEEDS as ANONYMISED
from trivium.tasks import Task
from trivium.tracking import server, store
from trivium.tracking.outs import Outcome

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

NEEDS = ("torch", "safetensors", "tokenizers", "transformers", "pillow", "soundfile", "scipy", "pyarrow", "pandas",
         "numpy", "pydantic", "ruamel.yaml", "av")


def log(client: MlflowClient, experiment: str, root: Path, outcome: Outcome, run: str, code: Path) -> str | None:
    """Log the model, with `code` (see `package.code`), as an output of `run`; returns its id. None where the weights,
    or the features that they were trained on, are not on this machine.

    By the client's own calls, not `mlflow.pyfunc.log_model`: that needs a current run and store, and imports torch to
    try the example, which makes a sync seconds slower.
    """
    from trivium.serving import package

    if not outcome.servable:
        return None
    tags = {"strategy": outcome.name, "seed": str(outcome.training.best.seed)}
    with tempfile.TemporaryDirectory() as scratch:
        prepared = package.write(root, outcome.name, Path(scratch) / "weights")
        made = Made(outcome.name, tags, prepared, Path(scratch) / "weights", outcome.task)
        return save(client, experiment, root, made, run, code)


@dataclass(frozen=True)
class Made:
    """A packaged model. prepared: what `package.write` gave;  folder: where it is."""

    name: str
    tags: dict[str, str]
    prepared: dict[str, Any]
    folder: Path
    task: Task


def save(client: MlflowClient, experiment: str, root: Path, made: Made, run: str, code: Path) -> str:
    """Log `made` as an output of `run`; returns its id. See `log`."""
    import mlflow.pyfunc
    import pandas as pd
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model
    from mlflow.utils import environment

    from trivium.serving import package

    logged = client.create_logged_model(experiment, name=made.name, source_run_id=run, tags=made.tags)
    name = logged.model_id
    about = Model(artifact_path=logged.artifact_location, run_id=run, model_uuid=name, model_id=name)
    # The requirements are what is installed here. To look whether they are takes MLflow half a second.
    environment.warn_dependency_requirement_mismatches = lambda _: None  # type: ignore[assignment]
    modalities = {s: about["spec"]["modality"] for s, about in made.prepared["streams"].items()}
    anonymises = any("anonymised" in about for about in made.prepared["streams"].values())
    there = store.local(logged.artifact_location)
    with tempfile.TemporaryDirectory() as scratch:
        place = there or Path(scratch) / "model"
        mlflow.pyfunc.save_model(
            str(place), loader_module="trivium.serving.pyfunc", data_path=str(made.folder),
            code_paths=[str(code)], pip_requirements=list(requirements(anonymises)), mlflow_model=about,
            signature=signature(made.prepared, made.task),
            input_example=pd.DataFrame(package.example(root, modalities)))
        if there is None:
            with server.uploading(place):
                client.log_model_artifacts(name, str(place))
    client.finalize_logged_model(name, "READY")
    client.log_outputs(run, [LoggedModelOutput(name, step=0)])
    return name


def signature(prepared: dict[str, Any], task: Task) -> ModelSignature:
    """Any of the streams in, and the part of a recording in seconds; answers of the task out, a warning or an error."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema, TensorSpec
    from mlflow.types.schema import AnyType

    from trivium.data.sources.manifest import TIMES
    from trivium.runtime.answering import columns

    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.string if about["spec"]["modality"] == "text" else AnyType(), s, required=False)
        for s, about in prepared["streams"].items()]
    if any(about["spec"]["modality"] in ("audio", "video") for about in prepared["streams"].values()):
        inputs += [ColSpec(DataType.double, name, required=False) for name in TIMES]
    outputs: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.double if kind is float else DataType.string, name, required=False)
        for name, kind in columns(task).items()]
    return ModelSignature(Schema(inputs), Schema(outputs))


@functools.cache
def requirements(anonymises: bool) -> tuple[str, ...]:
    """What the model needs, in the versions that made it; without the build (`+cpu`) that this machine has."""
    found = []
    for name in NEEDS + ANONYMISED * anonymises:
        try:
            found.append(f"{name}=={version(name).partition('+')[0]}")
        except PackageNotFoundError:
            continue
    return tuple(found)
