"""One strategy at every seed: its plan, phase by phase, through the one loop, within the budget."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from trivium.config import Config
from trivium.data.tables import write_json
from trivium.training import units

PRETRAINED = Path("models/pretrain")


def train(config: Config, strategy: str, out: Path) -> dict[str, Any]:
    """Write `<out>/seed_<k>/` and `<out>/training.json`. Returns what it cost (`units.measured`)."""
    from trivium.strategies import plan

    inputs, name = [Path("data/features")], f"strategy/{strategy}"
    if plan(strategy, config).start is not None:
        inputs.append(PRETRAINED)
    todo = [(f"seed_{seed}", (strategy, seed)) for seed in range(config.seeds)]
    done = units.run(config, strategy, name, _unit, todo, inputs)
    records = []
    for unit, _ in todo:
        folder, record = done[unit]
        shutil.copytree(folder / "model", out / unit)
        records.append(record["record"])
    write_json({"strategy": strategy, "start": plan(strategy, config).start, "seeds": records}, out / "training.json")
    units.clean(config, name, inputs)
    return units.measured(done, "seeds")


def _unit(config: Config, unit: tuple[str, int], folder: Path, report: units.Report) -> dict[str, Any]:
    from trivium.strategies import plan

    strategy, seed = unit
    chosen = plan(strategy, config)
    if chosen.combine == "fusion":
        from trivium.training import fused

        return fused.train(config, chosen, seed, folder, report)
    from trivium.training import combined

    return combined.combine(config, chosen, seed, folder, report)
