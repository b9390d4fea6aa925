"""The exported model of a strategy, made to be timed: two graphs and rows to answer, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trivium import models
from trivium.comparison.latency import ROWS, Graph, Small
from trivium.data.store import Store
from trivium.runtime.folder import GRAPH, PROCESSORS
from trivium.runtime.runner import Runner
from trivium.serving.export import graph, int8, processors
from trivium.serving.export.smoke import MOST, difference
from trivium.serving.latency.timing import PRESENT, SAMPLES
from trivium.serving.predictor import best, preparation
from trivium.settings.errors import UserError
from trivium.training.records import Trained


def made(task: tuple[str, str, str]) -> Graph:
    """What a worker does with (root, strategy, empty folder)."""
    root, strategy, folder = task
    return write(Path(root), strategy, Path(folder))


def write(root: Path, strategy: str, folder: Path) -> Graph:
    """Make `folder`: what `runtime.runner.Runner` reads, and `SAMPLES`, test rows of the seed. It stays without a graph
    where the strategy cannot be exported.
    """
    folder.mkdir()
    place, seed = best(root, strategy)
    trained, prepared = Trained.read(place.parent / "training.json"), preparation(root, seed, place)
    try:
        written = graph.write(models.load(place), folder / GRAPH)
        model = models.load(place)  # the other one was changed
        about = processors.of(model, prepared, strategy, trained.title, written.short)
    except graph.Unsayable as error:
        (folder / GRAPH).unlink(missing_ok=True)
        return Graph(seed=seed, refused=str(error))
    (folder / PROCESSORS).write_text(about.text(), encoding="utf-8")
    store, runner = Store(trained.start, root), Runner(folder)
    gap = _rows(store, runner, model, seed, folder)
    if not gap <= MOST:
        (folder / GRAPH).unlink()
        return Graph(seed=seed, refused=f"The exported model differs from the trained one by {gap:.1e}, where "
                                        f"{MOST:.0e} is rounding.")
    whole = Graph(seed=seed, bytes=(folder / GRAPH).stat().st_size, difference=float(f"{gap:.1e}"))
    try:
        small = int8.write(folder, store, seed, written.exact)
    except UserError as error:
        return whole.model_copy(update={"small_refused": str(error)})
    return whole.model_copy(update={"small": Small(bytes=small.bytes, rows=small.rows, loss=small.loss, unit=small.unit,
                                                   same=small.same)})


def _rows(store: Store, runner: Runner, model: models.network.Model, seed: int, folder: Path) -> float:
    """Keep test rows as the graph reads them; returns by how much its answers differ from those of torch."""
    import torch

    rows = np.resize(store.rows(seed, "test"), max(ROWS))
    batch = store.batch(rows, seed, runner.read)
    inputs, present = {s: batch.inputs[s].numpy() for s in runner.read}, batch.present.numpy()
    np.savez(folder / SAMPLES, **{PRESENT: present}, **inputs)
    with torch.inference_mode():
        trained = model.task.stored(model(batch.inputs, batch.present))
    return difference(runner.computed(inputs, present), np.asarray(trained))
