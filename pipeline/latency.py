"""latency: every strategy's exported model, how large it is and what 8 bits cost; and how fast all of them answer."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from trivium.stage import measure, run

if TYPE_CHECKING:
    from trivium.params import Params


def main(params: Params) -> None:
    from trivium.comparison.latency import PATH, STAGE, Graphs
    from trivium.machine.measured import Measured
    from trivium.machine.workers import processes
    from trivium.serving.latency import graphs, timing
    from trivium.training.records import Trained

    if not params.compare.latency:
        Graphs().write(PATH)
        measure(STAGE, Measured(latency={}))
        return print("`compare.latency` is off: nothing is exported, and no answer is timed")
    names = [name for name in params.train if not Trained.read(f"models/{name}/training.json").skipped]
    with tempfile.TemporaryDirectory() as scratch:
        folders = {name: Path(scratch) / name for name in names}
        for folder in folders.values():
            folder.mkdir()
        with processes(clean=True) as run_all:
            tasks = [(".", name, str(folder)) for name, folder in folders.items()]
            found = {name: made for (_, name, _), made in run_all(graphs.made, tasks)}
        Graphs(strategies=found).write(PATH)
        for name, one in found.items():
            if one.refused:
                print(f"{name}: {one.refused}")
        timed = timing.measure({name: folders[name] for name, one in found.items() if not one.refused})
    measure(STAGE, Measured(latency=timed))
    print(f"{len(timed)} of {len(names)} exported models answer one row in "
          + ", ".join(f"{name} {one.times[0].p50_ms:.3g}" for name, one in timed.items()) + " ms (median, one thread)")


if __name__ == "__main__":
    run("latency", main)
