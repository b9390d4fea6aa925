"""What is asked of one trained model besides its predictions: what it uses, what breaks it, why it answers so.

`evaluate.analysis_rows` (N) bounds the work: N test samples for contributions and information, N/4 for noise, N/40 for
attacks, N/2 train and N/2 test samples for probes, 6 for attributions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from trivium.data.store import Batch, Store
from trivium.data.tables import rounded
from trivium.evaluation import attribution, encoded, information, pictures, probes, robustness
from trivium.evaluation.contribution import contribution
from trivium.evaluation.settings import Settings
from trivium.models import build
from trivium.models.network import Model

ALIKE = 256  # samples whose vectors are kept: the same for all strategies and seeds, so that encoders can be compared


@torch.no_grad()
def analyse(model: Model, store: Store, seed: int, rows: np.ndarray, test: Batch, settings: Settings, out: Path,
            ) -> dict[str, Any]:
    """Analyses of `model` on the test samples `rows` of `seed`; each key is described in the file that makes it.

    test: the samples of `rows`, encoded.

    Writes `<out>/vectors/seed_<k>.safetensors` ([n, D] per modality) and, for seed 0, `<out>/pictures/*.svg`.
    """
    count, size = settings.analysis_rows, settings.batch
    places = some(np.arange(len(rows)), count, seed)
    test_rows, test = rows[places], test[torch.from_numpy(places)]
    val = encoded.encode_rows(model, store, some(store.rows(seed, "val"), count, seed), seed, size)
    _keep_vectors(model, store, seed, size, out)
    return rounded({
        "contribution": contribution(model, test, store.classes),
        "information": information.measure(model, val, test, len(store.classes)),
        "robustness": _robustness(model, store, seed, test_rows, test, settings),
        "probes": _probes(model, store, seed, test_rows, test, settings),
        "attribution": _attribution(model, store, seed, test_rows, test, size, out if seed == 0 else None),
    })


def some(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """At most `count` of `rows`, drawn without replacement, in random order, so that any prefix is a fair sample."""
    return rows[np.random.default_rng([seed, len(rows)]).permutation(len(rows))[:count]]


def _robustness(model: Model, store: Store, seed: int, rows: np.ndarray, test: Batch, settings: Settings,
                ) -> dict[str, Any]:
    size, few, fewer = settings.batch, max(1, len(rows) // 4), max(1, len(rows) // 40)
    batch, clean = store.batch(rows[:few], seed), test[:few]
    return {
        "corruption": robustness.corruption(model, batch, clean, store.specs, size),
        "misalignment": robustness.misalignment(model, test),
        "shift": robustness.shift(model, batch, clean, store.specs, size),
        "attacks": robustness.attacks(model, batch[:fewer], clean[:fewer], store.specs, size),
        "rows": {"corruption": few, "misalignment": len(rows), "shift": few, "attacks": fewer},
    }


def _probes(model: Model, store: Store, seed: int, rows: np.ndarray, test: Batch, settings: Settings) -> dict[str, Any]:
    half, size = max(1, settings.analysis_rows // 2), settings.batch
    train_rows = some(store.rows(seed, "train"), half, seed)
    train, unseen = encoded.encode_rows(model, store, train_rows, seed, size), test[:half]
    found = {}
    for m in encoded.readers(model):
        column = store.streams.index(m)
        has, has_test = train.present[:, column], unseen.present[:, column]
        if not has.any() or not has_test.any():
            continue
        fresh = build.encoder(store.encoders[m], store.specs[m], seed).eval().to(store.device)
        before = [encoded.through(fresh, store.batch(r, seed, [m]).inputs[m], size) for r in (train_rows, rows[:half])]
        after = [batch.inputs[m] for batch in (train, unseen)]
        found[m] = {
            kind: probes.probe(x[has], train.y[has], z[has_test], unseen.y[has_test], len(store.classes))
            for kind, (x, z) in (("before", before), ("after", after))
        }
    return found


def _attribution(model: Model, store: Store, seed: int, rows: np.ndarray, test: Batch, size: int,
                 out: Path | None) -> dict[str, Any]:
    chosen = attribution.choose(encoded.answer(model, test), test.y)
    places = list(chosen)
    batch, clean = store.batch(rows[places], seed), test[places]
    about, arrays, looked = attribution.explain(model, batch, clean, store.specs, size)
    shown = pictures.panels(store, seed, batch, arrays)
    attended = pictures.panels(store, seed, batch, looked, shares=True)
    samples = []
    for k, (place, why) in enumerate(chosen.items()):
        label, guess = store.classes[int(clean.y[k])], store.classes[about["prediction"][k]]
        entry: dict[str, Any] = {
            "sample": store.samples[rows[place]], "why": why, "label": label, "prediction": guess,
            "probability": about["probability"][k], "tokens": pictures.words(shown[k]),
        }
        if looked:
            entry["rollout"] = pictures.words(attended[k])
        if "attention" in about:
            entry["attention"] = {m: shares[k] for m, shares in about["attention"].items()}
        if out is not None:
            entry["picture"] = f"pictures/{k}_{why}.svg"
            title = f"{guess} ({entry['probability']:.0%}), in truth {label}"
            pictures.draw(out / entry["picture"], title, [pictures.Row("", shown[k], attended[k])])
        samples.append(entry)
    return {"deletion": about["deletion"], "samples": samples}


def _keep_vectors(model: Model, store: Store, seed: int, size: int, out: Path) -> None:
    from safetensors.torch import save_file

    alike = encoded.encode_rows(model, store, some(store.rows(0, "test"), ALIKE, 0), seed, size).inputs
    (out / "vectors").mkdir(parents=True, exist_ok=True)
    save_file({m: alike[m].contiguous().cpu() for m in encoded.readers(model)},
              str(out / "vectors" / f"seed_{seed}.safetensors"))
