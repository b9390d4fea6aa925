"""One strategy at every seed: its plan, phase by phase, through the one loop, within the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trivium.data.store import Store
from trivium.data.tables import digest, read_json, write_json
from trivium.strategies import Entry
from trivium.training import components, units
from trivium.training.settings import Loop


@dataclass(frozen=True)
class Unit:
    """A strategy at a seed. fusion: see `fusion.chosen`, null without one.  limit: the budget, FLOPs."""

    entry: Entry
    fusion: dict[str, Any] | None
    seed: int
    loop: Loop
    limit: float


def train(entry: Entry, loop: Loop, budgets: Sequence[float], out: Path) -> dict[str, Any]:
    """Write `<out>/seed_<k>/` and `<out>/training.json`. Returns what it cost (`units.measured`).

    budgets: FLOPs per seed.
    """
    store, fusion = Store(entry.start), chosen_fusion(entry)
    todo = [(f"seed_{seed}", Unit(entry, fusion, seed, loop, limit)) for seed, limit in enumerate(budgets)]
    done = units.run(entry.name, _work, [(name, unit, _key(store, unit)) for name, unit in todo], loop)
    records = []
    for name, unit in todo:
        folder, record = done[name]
        units.copy(folder / "model", out / name)
        records.append({"seed": unit.seed} | record["record"])
    about = {"entry": entry.name, "title": entry.title, "strategy": entry.strategy, "start": entry.start,
             "recipe": _recipe(store), "seeds": records}
    write_json(about, out / "training.json")
    return units.measured(done, "seeds")


def chosen_fusion(entry: Entry) -> dict[str, Any] | None:
    """The fusion with every default filled in. Raises: UserError."""
    from trivium import fusion

    return fusion.chosen(entry.plan.fusion, f"train.{entry.name}.fusion") if entry.plan.combine == "fusion" else None


def _recipe(store: Store) -> dict[str, Any]:
    """What people want to know of the recipe: its objectives, who reads what, and whose weights were published."""
    trained = read_json(components.PRETRAINED / store.recipe / "training.json")
    return {"objectives": trained["objectives"],
            "encoders": {s: read.entry for s, read in store.reads.streams.items()},
            "published": [s for s, encoder in store.encoders.items() if encoder.weights]}


def _key(store: Store, unit: Unit) -> str:
    """Of all that the weights depend on; names of entries are no part of it."""
    files = [components.folder(store.recipe, s, unit.seed) / "model.safetensors" for s in store.streams]
    about = {"strategy": unit.entry.strategy, "settings": unit.entry.settings, "fusion": unit.fusion,
             "seed": unit.seed, "loop": unit.loop.model_dump(mode="json", exclude={"workers"}), "limit": unit.limit,
             "reads": store.digest, "components": [digest(file.read_bytes()) for file in files],
             "charged": components.charged(store.recipe, unit.seed)}
    return units.key("strategy", about)


def _work(unit: Unit, folder: Path, report: units.Report) -> dict[str, Any]:
    if unit.entry.plan.combine == "fusion":
        from trivium.training import fused

        return fused.train(unit, folder, report)
    from trivium.training import combined

    return combined.combine(unit, folder, report)
