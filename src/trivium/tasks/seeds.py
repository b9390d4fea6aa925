"""Which seed stands for a strategy: whose model is served, kept in the registry and named in the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def best(seeds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of `seeds` of a training.json, at least one, that of the lowest validation NLL; of equal ones the lowest number.

    Never by the test set, which says how good that model is.
    """
    return min(seeds, key=lambda seed: (seed["validation"]["nll"], seed["seed"]))
