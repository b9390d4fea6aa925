"""Why a model answers so to the same few test samples as the others: `compare` shows those on which they differ most.

Which samples: the first in the order of their hashes (see `sampling.some`), so the same ones for every strategy.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trivium.data.store import Batch, Store
from trivium.data.tables import rounded
from trivium.evaluation import answers, attribution, encoded, panels, pictures
from trivium.models.network import Model

ROWS = 32  # samples


@torch.no_grad()
def write(model: Model, store: Store, seed: int, rows: np.ndarray, test: Batch, streams: Sequence[str], size: int,
          out: Path) -> None:
    """Write `explained.json` and `explained.safetensors` (see `answers`) into `out`.

    rows: int64 [B], samples, of which the first `ROWS` are explained;  test: the same, encoded
    streams: those in which that is affordable;  size: samples that pass the model at a time
    """
    task, rows, test = model.task, rows[:ROWS], test[: len(rows[:ROWS])]
    found = encoded.answer(model, test)
    guess = task.guess(found)
    support, truth = (task.support(found, target).exp().tolist() for target in (guess, test.y))
    made: dict[str, list[dict[str, pictures.Panel]]] = {"nats": [{} for _ in rows], "rollout": [{} for _ in rows]}
    arrays: answers.Arrays = {}
    for s in streams:
        batch = encoded.cut(model, store, store.batch(rows, seed, [s]))
        looks = attribution.attribute(model, batch, test, store.specs, guess, size)[:2]
        for what, values in zip(made, looks, strict=True):
            shown = panels.panels(store, seed, batch, values, shares=what == "rollout")
            for own, panel in zip(made[what], shown, strict=True):
                own |= panel
            if s in values and not shown[0][s].listed:
                arrays[f"{s}.input"], arrays[f"{s}.{what}"] = _shown(batch.inputs[s], values[s], store.specs[s].kind)
    listed = [{
        "sample": store.samples[row], "label": task.words(test.y[k].tolist()),
        "prediction": task.words(guess[k].tolist()), "told": task.told(guess[k].tolist(), support[k]),
        "support": support[k], "truth": truth[k],
        "missed": task.corrected(test.y[k].tolist(), truth[k]),
        "nats": {s: float(panel.values.sum()) for s, panel in made["nats"][k].items()},
        "tokens": pictures.words(made["nats"][k]), "rollout": pictures.words(made["rollout"][k]),
    } for k, row in enumerate(rows.tolist())]
    about = {"specs": {s: store.specs[s].plain() for s in streams}, "answers": listed}
    beside = {"channels": {s: found for s in streams if (found := panels.channels(store, s, seed))},
              "steps": {s: found for s in streams if (found := panels.step(store, s))}}
    known = rounded(about) | {key: value for key, value in beside.items() if value}
    answers.write(out, answers.Explained.model_validate(known), arrays)


def _shown(x: Tensor, values: Tensor, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """What a picture shows of inputs and of what they said: one channel; of a series, each of its own."""
    if kind == "series":
        return x.float().cpu().numpy(), values.float().cpu().numpy()
    return _flat(x.mean(1)), _flat(values.sum(1))


def _flat(x: Tensor) -> np.ndarray:
    """[B, *axes] -> float32 [B, 1, *axes]: what a picture shows has one channel."""
    return x[:, None].float().cpu().numpy()
