"""Outs of strategies and recipes that params.yaml no longer has: DVC leaves them in place, and would hash them."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from trivium.data.tables import read_json


def remove(root: Path, entries: Collection[str], recipes: Collection[str]) -> list[str]:
    """Remove their folders, which stages wrote and DVC's cache still has; returns which."""
    found = [path.parent for path in sorted((root / "models").glob("*/training.json"))
             if path.parent.name not in entries and "entry" in read_json(path)]
    found += [path.parent for path in sorted((root / "models/pretrain").glob("*/training.json"))
              if path.parent.name not in recipes and "recipe" in read_json(path)]
    found += [path.parent for path in sorted((root / "reports/evaluate").glob("*/metrics.json"))
              if path.parent.name not in entries and "entry" in read_json(path)]
    for folder in found:
        shutil.rmtree(folder)
    return [str(folder.relative_to(root)) for folder in found]
