"""An update of the recommended model as a run, and as a version in the registry that knows what it comes from.

Its run has no tag `kind`, so that `trivium sync`, which mirrors the pipeline's outs, leaves it alone. An update that no
registry knows yet, because the server failed, is registered by the next sync.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from trivium.comparison.updates import OUT, Update
from trivium.tracking import server, store

if TYPE_CHECKING:
    from mlflow import MlflowClient

MODELS = Path("models/updates")
ABOUT = "update.json"  # in the folder of an update


def late(root: Path) -> list[Update]:
    """Updates that have a model and are in no registry."""
    found = [Update.found(path) for path in sorted((root / MODELS).glob(f"*/{ABOUT}"))]
    return [one for one in found if one is not None and one.model and not one.version]


def write(root: Path, found: Update) -> Update:
    """Log the packaged model of an update and what is said of it, and register it. Returns it with its version and that
    of its parent, as its files have it, too. Raises: UserError.
    """
    from trivium.report import update as page
    from trivium.tracking import registry
    from trivium.tracking.outs import digest

    own = found.ways[found.chosen]
    about = {"parent": found.parent, "manifest": found.manifest, "digest": found.digest, "way": found.chosen,
             "update": found.name} | ({server.OWNER: server.owner(root)} if server.address() else {})
    mark = digest(found.plain())
    words = (f"Update `{found.name}` of `{found.parent}` with {found.manifest} (digest {found.digest}): "
             f"{own.title[:1].lower()}{own.title[1:]}.")
    with store.opened(root) as (client, experiment):
        known = client.search_runs([experiment], f"attributes.status = 'FINISHED' AND tags.`update` = '{found.name}' "
                                                 f"AND tags.fingerprint = '{mark}'")
        run = known[0].info.run_id if known else _run(client, experiment, root, found, about | {
            "fingerprint": mark, "mlflow.note.content": words, "mlflow.source.type": "LOCAL",
            "mlflow.source.name": "trivium update"})
        logged = client.search_logged_models([experiment], f"source_run_id = '{run}'")[0]
        version, before = registry.update(client, run, logged, about, words)
    made = found.model_copy(update={"version": version, "before": before or None})
    made.write(root / MODELS / found.name / ABOUT)
    if (last := Update.found(root / OUT)) and last.name == found.name:
        made.write(root / OUT)
        page.write(root, made)
    return made


def _run(client: MlflowClient, experiment: str, root: Path, found: Update, tags: dict[str, str]) -> str:
    """Its id. It counts as written once its status is FINISHED."""
    from trivium import tasks
    from trivium.data.tables import read_json
    from trivium.report import update as page
    from trivium.serving import package
    from trivium.serving.predictor import PREPARED
    from trivium.tracking import model

    own, folder = found.ways[found.chosen], root / MODELS / found.name
    figures = {f"test_{which}_{found.metric['key']}": getattr(own, which).mean for which in ("old", "new", "both")}
    run: str = client.create_run(experiment, tags=tags, run_name=f"update/{found.name}").info.run_id
    for key, value in (figures | {"forgetting": own.forgetting.mean, "flops": own.flops}).items():
        client.log_metric(run, key, value)
    with tempfile.TemporaryDirectory() as scratch:
        code = package.code(Path(scratch) / "code")
        shown = Path(scratch) / "shown"
        shown.mkdir()
        found.write(shown / Path(OUT).name)
        (shown / Path(page.OUT).name).write_text(page.render(found), encoding="utf-8")
        store.upload(client, run, shown)
        about = {key: tags[key] for key in ("parent", "manifest", "digest", "way")}
        made = model.Made(f"update_{found.name}", about, read_json(folder / PREPARED), folder,
                          tasks.of(read_json(folder / "model.json")["task"]))
        store.remove_models(client, experiment, run, but=model.save(client, experiment, root, made, run, code))
    client.set_terminated(run)
    return run
