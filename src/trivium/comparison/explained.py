"""The test samples that changed most between strategies, and what each strategy's answer to them rests on.

`explained.json`: seed; samples: [{sample, label, spread (standard deviation over strategies of `Task.truth`, for a
class its probability), picture, strategies: name -> {prediction, support, truth, nats (stream -> sum of its
attributions), tokens, rollout (see trivium.evaluation.analyse)}}]; deletion: name -> stream -> areas over these
samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trivium import tasks
from trivium.data.tables import read_json, rounded, write_json
from trivium.evaluation import predictions
from trivium.tasks import Task

if TYPE_CHECKING:
    from trivium.data.store import Store

SAMPLES = 3
SEED = 0


def most_changed(folder: Path, strategies: Sequence[str], count: int = SAMPLES) -> dict[str, float]:
    """Sample -> spread of the at most `count` test samples on which `strategies` differ most; ties by sample.

    folder: holds `<strategy>/predictions.parquet`, all about the same samples.
    """
    truths = []
    for name in strategies:
        samples, truth = [], []
        task = _task(folder / name)
        for _, piece in predictions.read(folder / name / "predictions.parquet", SEED):
            samples += piece["sample"].to_pylist()
            truth.append(task.truth(predictions.answers(piece), task.numbers(piece["y"])))
        truths.append(np.concatenate(truth))
    spread = np.std(truths, axis=0)
    return {samples[k]: float(spread[k]) for k in np.lexsort((samples, -spread))[:count] if spread[k] > 0}


def _task(folder: Path) -> Task:
    """Of the model of `SEED` in an evaluated strategy's folder."""
    return tasks.of(next(one["task"] for one in read_json(folder / "metrics.json")["seeds"] if one["seed"] == SEED))


def write(out: Path, strategies: Sequence[str], root: Path = Path(".")) -> dict[str, Any]:
    """Write `explained.json` and `changed_<k>.svg` into the folder `out`; `strategies` in the order of the pictures.

    Reads `data/features`, `data/reads`, `models/<strategy>/seed_0` and `reports/evaluate/<strategy>` below `root`.
    """
    chosen = most_changed(root / "reports/evaluate", strategies)
    found: dict[str, Any] = {"seed": SEED, "samples": [], "deletion": {}}
    if chosen:
        _explain(out, strategies, chosen, found, root)
    write_json(rounded(found), out / "explained.json")
    return found


def _explain(out: Path, strategies: Sequence[str], chosen: dict[str, float], found: dict[str, Any], root: Path,
             ) -> None:
    import torch

    from trivium import models
    from trivium.data.store import Store
    from trivium.evaluation import pictures
    from trivium.machine.progress import track

    torch.set_num_threads(1)
    rows: list[list[pictures.Row]] = [[] for _ in chosen]
    for name in track(strategies, "explain", len(strategies), "strategy"):
        evaluated = read_json(root / "reports/evaluate" / name / "metrics.json")
        store, model = Store(evaluated["start"], root), models.load(root / "models" / name / f"seed_{SEED}")
        places = np.array([store.samples.index(sample) for sample in chosen])
        if not found["samples"]:
            labels = [store.task.words(y) for y in store.labels(places)]
            found["samples"] = [
                {"sample": sample, "label": label, "spread": spread, "picture": f"changed_{k}.svg", "strategies": {}}
                for k, ((sample, spread), label) in enumerate(zip(chosen.items(), labels, strict=True))]
        about, truth, shown, attended = _answers(model, store, places, _paid(evaluated))
        found["deletion"][name] = about["deletion"]
        for k, entry in enumerate(found["samples"]):
            guess, p = model.task.words(about["prediction"][k]), about["support"][k]
            entry["strategies"][name] = {
                "prediction": guess, "support": p, "truth": truth[k],
                "nats": {s: float(panel.values.sum()) for s, panel in shown[k].items()},
                "tokens": pictures.words(shown[k]),
            } | ({"rollout": pictures.words(attended[k])} if attended[k] else {})
            verdict = "right" if guess == entry["label"] else f"in truth {entry['label']}"
            said = f"{evaluated['title']}\n{model.task.told(about['prediction'][k], p)}\n{verdict}"
            rows[k].append(pictures.Row(said, shown[k], attended[k]))
    for entry, lines in zip(found["samples"], rows, strict=True):
        pictures.draw(out / entry["picture"], f"{entry['sample']}, in truth {entry['label']}", lines)


def _answers(model: Any, store: Store, places: np.ndarray, paid: Callable[[str], bool]) -> tuple[Any, ...]:
    """What `attribution.explain` says of the samples `places`, the probabilities of their labels, and the panels of the
    streams whose attribution is `paid` for."""
    import torch

    from trivium.data.store import Batch
    from trivium.encoders.base import PAD
    from trivium.evaluation import attribution, encoded, pictures

    clean = encoded.encode_rows(model, store, places, SEED, len(places))
    streams = [s for s in encoded.readers(model) if attribution.shows(encoded.encoder(model, s)) and paid(s)]
    batch = store.batch(places, SEED, streams)
    inputs = {s: x[:, : max(1, int((x != PAD).sum(1).max()))]  # published text encoders see no padding
              if store.specs[s].kind == "tokens" and encoded.encoder(model, s).published else x
              for s, x in batch.inputs.items()}
    batch = Batch(inputs, batch.present, batch.y)
    about, arrays, looked = attribution.explain(model, batch, clean, store.specs)
    with torch.no_grad():
        truth = model.task.support(encoded.answer(model, clean), clean.y).exp().tolist()
    return (about, truth, pictures.panels(store, SEED, batch, arrays),
            pictures.panels(store, SEED, batch, looked, shares=True))


def _paid(evaluated: Mapping[str, Any]) -> Callable[[str], bool]:
    """Whether `evaluate` could afford the attributions of a stream: what was too dear there is so here."""
    counts = next(seed for seed in evaluated["seeds"] if seed["seed"] == SEED).get("rows", {}).get("attribution")
    return lambda stream: counts is None or counts.get(stream, 0) > 0
