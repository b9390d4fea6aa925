"""An update of the recommended model as a run, and as a version in the registry that knows what it comes from.

The run has no tag `kind`, so that `trivium sync`, which mirrors the pipeline's outs, leaves it alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trivium import tasks
from trivium.data.tables import read_json
from trivium.serving import package
from trivium.serving.predictor import PREPARED
from trivium.tracking import model, registry, store


def write(root: Path, name: str, folder: Path, about: Mapping[str, str], figures: Mapping[str, float], words: str,
          files: list[Path]) -> tuple[str, str]:
    """Log the packaged model in `folder` and `files`, and register it. Returns its version and its parent's.

    about: what the version comes from, as tags: parent, manifest, digest, way.
    """
    prepared: dict[str, Any] = read_json(folder / PREPARED)
    task = tasks.of(read_json(folder / "model.json")["task"])
    with store.opened(root) as (client, experiment), tempfile.TemporaryDirectory() as scratch:
        tags = dict(about) | {"update": name, "mlflow.note.content": words, "mlflow.source.type": "LOCAL",
                              "mlflow.source.name": "trivium update"}
        run = client.create_run(experiment, tags=tags, run_name=f"update/{name}").info.run_id
        for key, value in figures.items():
            client.log_metric(run, key, value)
        for file in files:
            store.upload(client, run, file)
        made = model.Made(f"update_{name}", dict(about), prepared, folder, task)
        logged = model.save(client, experiment, root, made, run, package.code(Path(scratch)))
        client.set_terminated(run)
        return registry.update(client, run, client.get_logged_model(logged), dict(about) | {"update": name}, words)
