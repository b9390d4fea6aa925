"""One strategy at every seed: its plan, phase by phase, through the one loop, within the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trivium.data.store import Store
from trivium.data.tables import digest, read_json, write_json
from trivium.strategies import Entry
from trivium.training import components, jobs
from trivium.training.budget import enough
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
    """Write `<out>/seed_<k>/` and `<out>/training.json`. Returns what it cost (`jobs.measured`).

    budgets: FLOPs per seed.
    """
    store, fusion = Store(entry.start), chosen_fusion(entry)
    about = {"entry": entry.name, "title": entry.title, "strategy": entry.strategy, "start": entry.start,
             "recipe": _recipe(store), "fusion": fusion}
    if lacking := components.skipped(entry.start):
        return _skip(about, lacking, f"its recipe `{entry.start}`", out)
    todo = [(f"seed_{seed}", Unit(entry, fusion, seed, loop, limit)) for seed, limit in enumerate(budgets)]
    done = jobs.run(entry.name, _work, [(name, unit, _key(store, unit)) for name, unit in todo], loop)
    found = {name: record["record"] for name, (_, record) in done.items()}
    if lacking := next((record["skipped"] for record in found.values() if "skipped" in record), None):
        return _skip(about, lacking, "it", out)
    for name, (folder, _) in done.items():
        jobs.copy(folder / "model", out / name)
    records = [{"seed": unit.seed} | found[name] for name, unit in todo]
    write_json(about | {"seeds": records}, out / "training.json")
    return jobs.measured(done, "seeds")


def _skip(about: dict[str, Any], lacking: dict[str, float], who: str, out: Path) -> dict[str, Any]:
    """Write the record of a strategy that was not begun. lacking: the budget, and the one that is needed (FLOPs)."""
    budget, needed = lacking["budget"], lacking["needed"]
    times = float(f"{needed / budget:.2g}")
    setting = enough(budget, needed)
    words = (f"{about['title']} was not begun: one epoch of what {who} trains costs more than the budget of "
             f"{budget:.2e} FLOPs leaves. It needs a budget of at least {needed:.2e} FLOPs, {times:,.10g} times as "
             f"much: set {setting} in params.yaml.")
    record = {"budget": budget, "needed": needed, "setting": setting, "sentence": words}
    write_json(about | {"seeds": [], "skipped": record}, out / "training.json")
    print(words, flush=True)
    return {}


def chosen_fusion(entry: Entry) -> dict[str, Any] | None:
    """The fusion with every default filled in. Raises: UserError."""
    from trivium import fusion

    return fusion.chosen(entry.plan.fusion, f"train.{entry.name}.fusion") if entry.plan.combine == "fusion" else None


def _recipe(store: Store) -> dict[str, Any]:
    """What people want to know of the recipe: its objectives, who reads what, and whose weights were published."""
    trained = read_json(components.PRETRAINED / store.recipe / "training.json")
    return {"objectives": trained["objectives"],
            "encoders": {s: read.entry for s, read in store.reads.streams.items()},
            "published": [s for s, encoder in store.encoders.items() if encoder.weights],
            "external": ", ".join(encoder.weights.removeprefix("package:") for encoder in store.encoders.values()
                                  if encoder.weights)}


def _key(store: Store, unit: Unit) -> str:
    """Of all that the weights depend on; names of entries are no part of it."""
    files = [components.folder(store.recipe, s, unit.seed) / "model.safetensors" for s in store.streams]
    about = {"strategy": unit.entry.strategy, "settings": unit.entry.settings, "fusion": unit.fusion,
             "seed": unit.seed, "loop": unit.loop.model_dump(mode="json", exclude={"workers"}), "limit": unit.limit,
             "reads": store.digest, "components": [digest(file.read_bytes()) for file in files],
             "charged": components.charged(store.recipe, unit.seed),
             "apart": components.apart(store.recipe, store.streams)}  # names the recipe, and so does the model
    return jobs.key("strategy", about)


def _work(unit: Unit, folder: Path, report: jobs.Report) -> dict[str, Any]:
    if unit.entry.plan.combine == "fusion":
        from trivium.training import fused

        return fused.train(unit, folder, report)
    if unit.entry.plan.combine == "linear":
        from trivium.training import probed

        return probed.train(unit, folder, report)
    if unit.entry.plan.combine == "boosting":
        from trivium.training import boosted

        return boosted.train(unit, folder, report)
    from trivium.training import late_fusion

    return late_fusion.combine(unit, folder, report)
