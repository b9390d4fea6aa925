"""The test samples that changed most between strategies, and what each strategy's answer to them rests on.

`explained.json`: seed; samples: [{sample, label, spread (standard deviation over strategies of the probability of the
true label, 0-1), picture, strategies: name -> {prediction, probability, truth (probability of the true label), nats
(modality -> sum of its attributions), tokens, rollout (see trivium.evaluation.analyse)}}]; deletion: name -> modality
-> areas over these samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trivium.data.tables import rounded, write_json
from trivium.evaluation import predictions

SAMPLES = 3
SEED = 0


def most_changed(folder: Path, strategies: Sequence[str], count: int = SAMPLES) -> dict[str, float]:
    """Sample -> spread of the at most `count` test samples on which `strategies` differ most; ties by sample.

    folder: holds `<strategy>/predictions.parquet`, all about the same samples.
    """
    truths = []
    for name in strategies:
        samples, truth = [], []
        for _, piece in predictions.read(folder / name / "predictions.parquet", SEED):
            samples += piece["sample"].to_pylist()
            p = predictions.probabilities(piece)
            truth.append(p[np.arange(len(p)), piece["y"].to_numpy()].astype(np.float64))
        truths.append(np.concatenate(truth))
    spread = np.std(truths, axis=0)
    return {samples[k]: float(spread[k]) for k in np.lexsort((samples, -spread))[:count] if spread[k] > 0}


def write(out: Path, strategies: Sequence[str]) -> dict[str, Any]:
    """Write `explained.json` and `changed_<k>.svg` into the folder `out`; `strategies` in the order of the pictures.

    Reads `data/features`, `models/<strategy>/seed_0` and `reports/evaluate/<strategy>/predictions.parquet`.
    """
    chosen = most_changed(Path("reports/evaluate"), strategies)
    found: dict[str, Any] = {"seed": SEED, "samples": [], "deletion": {}}
    if chosen:
        _explain(out, strategies, chosen, found)
    write_json(rounded(found), out / "explained.json")
    return found


def _explain(out: Path, strategies: Sequence[str], chosen: dict[str, float], found: dict[str, Any]) -> None:
    import torch

    from trivium import models
    from trivium.data.store import Store
    from trivium.evaluation import attribution, encoded, pictures
    from trivium.machine.progress import track

    torch.set_num_threads(1)
    store = Store()
    batch = store.batch(np.array([store.samples.index(sample) for sample in chosen]), SEED)
    found["samples"] = [
        {"sample": sample, "label": store.classes[int(batch.y[k])], "spread": spread,
         "picture": f"changed_{k}.svg", "strategies": {}} for k, (sample, spread) in enumerate(chosen.items())]
    rows: list[list[pictures.Row]] = [[] for _ in chosen]
    for name in track(strategies, "explain", len(strategies), "strategy"):
        model = models.load(Path("models") / name / f"seed_{SEED}")
        clean = encoded.encode(model, batch, len(batch))
        about, arrays, looked = attribution.explain(model, batch, clean, store.specs)
        with torch.no_grad():
            truth = model(clean.inputs, clean.present).exp().gather(1, batch.y[:, None])[:, 0].tolist()
        found["deletion"][name] = about["deletion"]
        shown = pictures.panels(store, SEED, batch, arrays)
        attended = pictures.panels(store, SEED, batch, looked, shares=True)
        for k, entry in enumerate(found["samples"]):
            guess, p = store.classes[about["prediction"][k]], about["probability"][k]
            entry["strategies"][name] = {
                "prediction": guess, "probability": p, "truth": truth[k],
                "nats": {m: float(panel.values.sum()) for m, panel in shown[k].items()},
                "tokens": pictures.words(shown[k]),
            } | ({"rollout": pictures.words(attended[k])} if looked else {})
            verdict = "right" if guess == entry["label"] else f"wrong: {entry['label']} has {truth[k]:.0%}"
            rows[k].append(pictures.Row(f"{name}\n{guess} ({p:.0%})\n{verdict}", shown[k], attended[k]))
    for entry, lines in zip(found["samples"], rows, strict=True):
        pictures.draw(out / entry["picture"], f"{entry['sample']}, in truth {entry['label']}", lines)
