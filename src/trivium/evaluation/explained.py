"""Why a model answers so to the same few test samples as the others: `compare` shows those on which they differ most.

Which samples: the first in the order of their hashes (see `sampling.some`), so the same ones for every strategy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trivium.data.store import Batch, Store
from trivium.data.tables import rounded
from trivium.evaluation import attribution, encoded, pictures, shown
from trivium.models.network import Model

ROWS = 32  # samples
LEAST = 3  # fewer leave `compare` nothing to choose from


@torch.no_grad()
def write(model: Model, store: Store, seed: int, rows: np.ndarray, test: Batch, counts: Mapping[str, int], size: int,
          out: Path) -> None:
    """Write `explained.json` and `explained.safetensors` (see `shown`) into `out`.

    rows: int64 [B], samples;  test: the same, encoded;  counts: stream -> how many of `rows`, the first ones, may be
    explained;  size: samples that pass the model at a time
    """
    rows, test = rows[:ROWS], test[: len(rows[:ROWS])]
    p = encoded.answer(model, test).exp()
    probability, guess = p.max(1)
    truth = p.gather(1, test.y[:, None])[:, 0].tolist()
    kinds: dict[str, str] = {}
    panels: dict[str, list[dict[str, pictures.Panel]]] = {"nats": [{} for _ in rows], "rollout": [{} for _ in rows]}
    arrays: shown.Arrays = {}
    for s, n in [(s, n) for s, n in counts.items() if n]:
        batch = encoded.cut(model, store, store.batch(rows[:n], seed, [s]))
        found, looked = attribution.attribute(model, batch, test[:n], guess[:n], size)
        kinds[s] = store.specs[s].kind
        for what, values in (("nats", found), ("rollout", looked)):
            for own, panel in zip(panels[what], pictures.panels(store, seed, batch, values), strict=False):
                own |= panel
            if kinds[s] != "tokens" and s in values:
                arrays[f"{s}.input"], arrays[f"{s}.{what}"] = _flat(batch.inputs[s].mean(1)), _flat(values[s].sum(1))
    answers = [{
        "sample": store.samples[row], "label": store.task.words(int(test.y[k])),
        "prediction": store.task.words(int(guess[k])), "probability": float(probability[k]), "truth": truth[k],
        "nats": {s: float(panel.values.sum()) for s, panel in panels["nats"][k].items()},
        "tokens": pictures.words(panels["nats"][k]), "rollout": pictures.words(panels["rollout"][k]),
    } for k, row in enumerate(rows.tolist())]
    about = {"kinds": kinds, "rows": {s: counts[s] for s in kinds}, "answers": answers}
    shown.write(out, shown.Explained.model_validate(rounded(about)), arrays)


def _flat(x: Tensor) -> np.ndarray:
    """[B, *axes] -> float32 [B, 1, *axes]: what a picture shows has one channel."""
    return x[:, None].float().cpu().numpy()
