"""The side of a split that a name of a file or a folder speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterable

from trivium.data.sources.meant import SPLITS

KNOWN = {"train": "train", "val": "val", "test": "test"} | SPLITS


def of(name: str) -> str:
    """`train` of `data/train-00000-of-00001.parquet`; "" where it speaks of none, or of several."""
    found = {KNOWN[word] for word in re.split(r"[^a-z]+", name.casefold()) if word in KNOWN}
    return found.pop() if len(found) == 1 else ""


def some(names: Iterable[str]) -> bool:
    """Whether they speak of more than one side: else splits are drawn."""
    return len({of(name) for name in names} - {""}) > 1
