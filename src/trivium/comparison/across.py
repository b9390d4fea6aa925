"""What only shows when all strategies are looked at together. Reads what evaluate left, and no model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trivium.comparison import information, laziness, robustness, similarity
from trivium.data import tables

ALONE = "ensemble"  # the strategy whose encoders were trained alone, to the end of the budget


def across(folder: Path, strategies: Sequence[str]) -> dict[str, Any]:
    """From `<folder>/<strategy>/{metrics.json, predictions.parquet, vectors/}` to the parts of comparison.json:

    information  bits of every set of modalities, pairs, sentence, training (see `information.summary`)
    robustness   curves, relative and effective robustness, sentence (see `robustness.summary`)
    laziness     probes, unlearned, sentence (see `laziness.summary`)
    similarity   maps and the ensemble of the least alike (see `similarity`), sentence
    """
    found = {name: tables.read_json(folder / name / "metrics.json") for name in strategies}
    modalities = next(iter(found.values()))["modalities"]

    def of(key: str) -> dict[str, list[Any]]:
        return {name: [seed[key] for seed in one["seeds"]] for name, one in found.items()}

    end_to_end = [name for name, one in found.items() if one["start"] is None]
    return {
        "information": information.summary(of("information"), modalities),
        "robustness": robustness.summary(of("robustness"), end_to_end[0] if end_to_end else None),
        "laziness": laziness.summary(of("probes"), ALONE if ALONE in found else None),
        "similarity": _similarity(folder, strategies, [seed["seed"] for seed in next(iter(found.values()))["seeds"]],
                                  modalities),
    }


def _similarity(folder: Path, strategies: Sequence[str], seeds: Sequence[int], modalities: list[str]) -> dict[str, Any]:
    from safetensors.numpy import load_file

    vectors = {name: [load_file(folder / name / "vectors" / f"seed_{seed}.safetensors") for seed in seeds]
               for name in strategies}
    answers = {name: _answers(folder / name / "predictions.parquet", seeds) for name in strategies}
    pair = similarity.least_alike([y for y, _ in next(iter(answers.values()))],
                                  {name: [p for _, p in found] for name, found in answers.items()})
    said = ""
    if pair is not None:
        first, second = pair["members"]
        said = (f"{first} and {second} err together {pair['joint_errors']:.1f} times as often as chance would have it, "
                "less than any other two strategies.")
    return {"maps": similarity.maps(vectors, modalities), "ensemble": pair, "sentence": said}


def _answers(path: Path, seeds: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Per seed: y [n] and probabilities [n, C]."""
    table = tables.read(path)
    seed, y = table["seed"].to_numpy(), table["y"].to_numpy()
    flat = table["probabilities"].combine_chunks().flatten().to_numpy()
    probabilities = flat.reshape(len(y), -1).astype(np.float64)
    return [(y[seed == k], probabilities[seed == k]) for k in seeds]
