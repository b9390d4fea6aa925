"""One strategy at every seed: its plan, phase by phase, through the one loop, within the budget."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trivium.config import Config
from trivium.data.store import Store
from trivium.data.tables import write_json
from trivium.training import units

PRETRAINED = Path("models/pretrain")


def train(config: Config, strategy: str, out: Path) -> dict[str, Any]:
    """Write `<out>/seed_<k>/` and `<out>/training.json`. Returns what it cost (`units.measured`)."""
    from trivium.strategies import plan

    inputs, name = [Path("data/features")], f"strategy/{strategy}"
    if plan(strategy, config).start is not None:
        inputs.append(PRETRAINED)
    samples = _samples(config, strategy)
    todo = [(f"seed_{seed}", (strategy, seed), samples) for seed in range(config.seeds)]
    done = units.run(config, strategy, name, _unit, todo, inputs)
    records = []
    for unit, _, _ in todo:
        folder, record = done[unit]
        shutil.copytree(folder / "model", out / unit)
        records.append(record["record"])
    write_json({"strategy": strategy, "start": plan(strategy, config).start, "seeds": records}, out / "training.json")
    units.clean(config, name, inputs)
    return units.measured(done, "seeds")


def _samples(config: Config, strategy: str) -> int:
    """About how many samples one seed trains on, cached features included: for the progress bar."""
    from trivium.strategies import plan
    from trivium.strategies.base import MOST_EPOCHS

    chosen, size = plan(strategy, config), len(Store().rows(0, "train"))
    left = config.budget.epochs * (1 - (config.pretrain[chosen.start].share if chosen.start else 0))
    epochs = [left * phase.share if "encoders" in phase.train else MOST_EPOCHS for phase in chosen.phases]
    return round(size * sum(epochs))


def _unit(config: Config, unit: tuple[str, int], folder: Path, report: Callable[[int], None]) -> dict[str, Any]:
    from trivium.strategies import plan

    strategy, seed = unit
    chosen = plan(strategy, config)
    if chosen.combine == "fusion":
        from trivium.training import fused

        return fused.train(config, chosen, seed, folder, report)
    from trivium.training import combined

    return combined.combine(config, chosen, seed, folder)
