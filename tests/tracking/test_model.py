import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.fake_outs import fake_data, fake_models, fake_outs
from trivium.serving import package
from trivium.serving.predictor import Predictor
from trivium.tasks import Task
from trivium.tasks.classification import Classification
from trivium.tasks.multilabel import MultiLabel
from trivium.tasks.regression import Regression
from trivium.tracking import model, outs, store
from trivium.tracking.model import signature
from trivium.tracking.sync import sync

LOAD = """
import json, sys
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
(logged,) = mlflow.search_logged_models(["1"], output_format="list")
model = mlflow.pyfunc.load_model("models:/trivium@recommended")
example = model.input_example
image = open(sys.argv[2], "rb").read()
bytes_and_null = model.predict(pd.DataFrame({"image": [image, None, b"damaged"]}))
import trivium
print(json.dumps({
    "name": logged.name, "rows": len(example), "columns": list(model.predict(example).columns),
    "labels": model.predict(example)["label"].tolist(), "text": len(model.predict(example[["text"]])),
    "bytes": bytes_and_null["error"].isna().tolist(), "code": trivium.__file__,
    "inputs": [c.name for c in model.metadata.signature.inputs],
    "accuracy": next(metric.value for metric in logged.metrics if metric.key == "test/accuracy"),
}))
"""


def load(root: Path, elsewhere: Path) -> dict:
    """What a fresh process without this repository on its path sees."""
    environment = {"PATH": "/usr/bin:/bin", "MLFLOW_DISABLE_TELEMETRY": "true", "HOME": str(elsewhere)}
    command = [sys.executable, "-W", "ignore", "-c", LOAD, store.uri(root), str(root / "data/raw/media/0.png")]
    done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_the_model_stands_alone_may_come_late_and_survives_a_loss_of_its_files_and_a_move(tmp_path: Path) -> None:
    root = fake_outs(tmp_path / "50 % off?", {"supervised_frozen": 0.9})
    fake_data(root)
    fake_models(root, "supervised_frozen")
    weights = root / "models/supervised_frozen/seed_1/model.safetensors"
    weights.rename(tmp_path / "kept")

    def models() -> int:
        with store.opened(root) as (client, experiment):
            return len(client.search_logged_models([experiment]))

    sync(root)
    assert models() == 0
    (tmp_path / "kept").rename(weights)
    assert sync(root) == "MLflow: 1 strategy written, 0 already there."
    assert models() == 1
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    found = load(root, elsewhere)
    assert found["name"] == "supervised_frozen" and found["accuracy"] == 0.9
    assert found["inputs"] == ["text", "image", "audio", "start", "end"]
    assert found["columns"] == ["label", "probability_anna", "probability_ben", "probability_carla",
                                "warning", "error"]
    assert found["rows"] == 2 and found["text"] == 2
    assert found["bytes"] == [True, False, False]  # no answer where nothing is left to read: missing, or damaged
    assert found["code"].startswith(str(store.artifacts(root)))  # the code that travels with the model

    assert sync(root) == "MLflow shows the present outputs already."
    shutil.rmtree(store.artifacts(root))
    assert sync(root) == "MLflow: 1 strategy written, 0 already there."
    written = load(root, elsewhere)
    assert written | {"code": found["code"]} == found

    moved = Path(shutil.move(root, tmp_path / "there"))
    sync(moved)
    again = load(moved, elsewhere)
    assert again["code"].startswith(str(store.artifacts(moved)))
    assert again | {"code": found["code"]} == found


@pytest.mark.slow
def test_the_recommended_model_is_in_the_registry(tmp_path: Path) -> None:
    root = fake_outs(tmp_path / "here", {"supervised_frozen": 0.9, "end_to_end": 0.7})
    fake_data(root)
    fake_models(root, "supervised_frozen")
    fake_models(root, "end_to_end")

    def registered() -> tuple[str, str, int]:
        with store.opened(root) as (client, _):
            found = client.get_model_version_by_alias("trivium", "recommended")
            versions = client.search_model_versions("name = 'trivium'")
            return found.tags["strategy"], str(found.version), len(versions)

    sync(root)
    assert registered() == ("supervised_frozen", "1", 1)
    recommend(root, "end_to_end")
    sync(root)
    assert registered() == ("end_to_end", "2", 2)
    recommend(root, "supervised_frozen")
    sync(root)
    assert registered() == ("supervised_frozen", "1", 2)


def recommend(root: Path, strategy: str) -> None:
    path = root / "reports/comparison.json"
    content = json.loads(path.read_text())
    content["verdict"]["recommended"] = strategy
    path.write_text(json.dumps(content))


@pytest.mark.slow
@pytest.mark.parametrize(("task", "targets", "columns"), [
    (Regression({"price": "EUR"}, scale=[7.0]), np.arange(24, dtype=np.float32)[:, None],
     ["price", "price_low", "price_high"]),
    (MultiLabel(["big", "red"]), np.eye(2, dtype=np.uint8)[np.arange(24) % 2],
     ["labels", "probability_big", "probability_red"]),
])
def test_models_of_other_tasks_are_loaded_by_mlflow(task: Task, targets: np.ndarray, columns: list[str],
                                                    tmp_path: Path) -> None:
    import mlflow.pyfunc
    import pandas as pd

    root = fake_outs(tmp_path, {"supervised_frozen": 0.9})
    fake_data(root, task=task, targets=targets)
    fake_models(root, "supervised_frozen")
    (outcome,) = outs.read(root).outcomes
    outcome = replace(outcome, metrics=outcome.metrics.model_copy(update={"task": task.plain()}))
    with store.opened(root) as (client, experiment):
        run = client.create_run(experiment).info.run_id
        name = model.log(client, experiment, root, outcome, run, package.code(tmp_path / "code"))
        loaded = mlflow.pyfunc.load_model(client.get_logged_model(name).artifact_location)
    assert [one.name for one in loaded.metadata.signature.outputs] == [*columns, "warning", "error"]
    found = loaded.predict(pd.DataFrame({"text": ["alpha one", None], "image": [None, b"broken"]}))
    assert list(found.columns) == [*columns, "warning", "error"]
    assert found[columns].isna().all(axis=1).tolist() == [False, True]
    assert found["error"].notna().tolist() == [False, True]
    pd.testing.assert_frame_equal(found[:1].reset_index(drop=True), pd.DataFrame(
        Predictor.of_strategy(root, "supervised_frozen").table([{"text": "alpha one"}])).astype(found.dtypes))


def test_the_signature_names_streams_and_times_where_any_is_heard() -> None:
    prepared = {"streams": {s: {"spec": {"modality": modality}} for s, modality in (
        ("title", "text"), ("photo", "image"), ("scan", "image"))}}
    task = Classification(["a"])
    inputs = signature(prepared, task).inputs
    assert str(inputs.inputs[0].type) == "DataType.string"
    assert [one.name for one in inputs] == ["title", "photo", "scan"]
    prepared["streams"]["voice"] = {"spec": {"modality": "audio"}}
    assert [one.name for one in signature(prepared, task).inputs][3:] == ["voice", "start", "end"]
