"""latency: every strategy's exported model, how large it is and what 8 bits cost; and how fast all of them answer."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trivium.stage import measure, run

if TYPE_CHECKING:
    from trivium.comparison.latency import Graph
    from trivium.params import Params


def main(params: Params) -> None:
    from trivium.comparison.latency import PATH, STAGE, Graphs
    from trivium.machine.measured import Measured
    from trivium.serving.latency import timing
    from trivium.training.records import Trained

    if not params.compare.latency:
        Graphs().write(PATH)
        measure(STAGE, Measured(latency={}))
        return print("`compare.latency` is off: nothing is exported, and no answer is timed")
    trained = {name: Trained.read(f"models/{name}/training.json") for name in params.train}
    names = [name for name, one in trained.items() if not one.skipped]
    with tempfile.TemporaryDirectory() as scratch:
        folders = {name: Path(scratch) / name for name in names}
        found = exported({name: folders[name] for name in sorted(names, key=lambda s: not trained[s].recipe.published)})
        Graphs(strategies={name: found[name] for name in names}).write(PATH)
        timed = timing.measure({name: folders[name] for name in names if not found[name].refused})
    measure(STAGE, Measured(latency=timed))
    for name in names:
        took = found[name].refused or f"{timed[name].times[0].p50_ms:.3g} ms for one row (median, one thread)"
        print(f"{name}: {took}")


def exported(folders: Mapping[str, Path]) -> dict[str, Graph]:
    """Strategy -> its graph; several processes work from the first on, so that what takes longest stands there."""
    from trivium.machine.progress import Progress
    from trivium.machine.workers import processes
    from trivium.serving.latency import graphs

    found = dict[str, "Graph"]()
    with Progress("exporting", len(folders), "strategy") as progress, processes(clean=True) as run_all:
        for (_, name, _), made in run_all(graphs.made, [(".", name, str(folder)) for name, folder in folders.items()]):
            found[name] = made
            progress.add(1)
    return found


if __name__ == "__main__":
    run("latency", main)
