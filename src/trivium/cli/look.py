"""`trivium look`: what the data is, before anything is trained. The stages up to `split` run where they are stale."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from trivium.experiments.dvc import dvc
from trivium.machine import vault
from trivium.report.look.price import Price
from trivium.settings.errors import UserError


def look(root: Path, data: str | None, timed: bool) -> str:
    """What a terminal shows; the page is written. data: what is chosen first, as by `trivium import`
    timed: whether the time of a run is measured, for which `preprocess` and `budget` run as well
    Raises: UserError (a stage that failed).
    """
    from trivium.cli.importing import choose
    from trivium.report.look import page

    if data:
        choose(data)
    if dvc(root, "repro", "--quiet", *(("split", "budget") if timed else ("split",))):
        raise UserError("A stage stopped; what it said is above. Mend it and run `trivium look` again.")
    with vault.here():
        return page.write(root, _price(root) if timed else None)[1]


def _price(root: Path) -> Price:
    from trivium.data.store import Store
    from trivium.machine.workers import cores
    from trivium.params import load
    from trivium.report.look import price
    from trivium.training import budget, memory
    from trivium.training.strategy import chosen_fusion

    params = load(root / "params.yaml")
    entry = params.entries[params.budget.of]
    workers = cores() if params.loop.workers == "auto" else params.loop.workers
    store, fusion = Store(entry.start), chosen_fusion(entry) or {"name": "concat"}
    need = memory.said(memory.of_network(store, fusion, params.loop), params.loop, params.seeds)
    found = price.estimate(store, fusion, budget.read(root), len(params.entries), params.loop.batch,
                           min(workers, params.seeds))
    return replace(found, memory=f"{need[:1].upper()}{need[1:].rstrip('.')}.")
