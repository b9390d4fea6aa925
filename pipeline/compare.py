"""compare: who wins, how sure that is, and at what cost; then the report and the MLflow view of it."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from trivium.machine import signals
from trivium.machine.workers import Map, processes
from trivium.settings.errors import UserError
from trivium.settings.failures import of_machine
from trivium.tracking import stopped
from trivium.tracking.store import load

if TYPE_CHECKING:
    from trivium.params import Params


def main(params: Params, beside: Map) -> None:
    from trivium.comparison import build, curves, explained, figures, leftovers
    from trivium.evaluation.metrics import Evaluation
    from trivium.report import html
    from trivium.stage import fresh
    from trivium.tracking.sync import attempt
    from trivium.training.records import Trained

    for folder in leftovers.remove(Path("."), params.train, params.pretrain):
        print(f"{folder} is of an entry that params.yaml no longer has: removed (DVC's cache still has it)")
    found = build.build(params.compare, list(params.train), params.split.method, params.evaluate.calibration_bins)
    names = list(found.strategies)  # without those that the budget did not pay for
    evaluated = {name: Evaluation.read(f"reports/evaluate/{name}/metrics.json") for name in names}
    trained = {name: Trained.read(f"models/{name}/training.json") for name in names}
    with fresh("reports/plots") as out:
        curves.write(out, found, Path("reports/evaluate"), trained)
    with fresh("reports/summary") as out:
        curves.summary(out, found)
    found.write("reports/comparison.json")
    synced = beside(partial(attempt, report=False), [os.getcwd()])  # which is not where that process began
    with fresh("reports/figures") as out:
        figures.write(out, found, evaluated, trained)
    with fresh("reports/explained") as out:
        explained.write(out, found.titles)
    html.write(Path("."))
    notes = [said for _, said in synced]
    if not notes[0].startswith("note:"):  # else the server would only be waited for again
        notes += [said for _, said in beside(attempt, [os.getcwd()]) if said.startswith("note:")]  # the report, too
    print("\n".join(notes))
    print(f"{found.verdict.sentence} (`trivium show` prints the table)")


def start() -> None:
    with signals.ended():
        try:
            with processes(1) as beside:  # MLflow is loaded, and the runs are written, while all else goes on
                beside(load, [None])
                from trivium.stage import run

                run("compare", partial(main, beside=beside))
        except (UserError, OSError) as error:  # that process was killed, or the disk has no room for one
            if (mine := error if isinstance(error, UserError) else of_machine(error)) is None:
                raise
            sys.exit(f"\ncompare stopped: {mine}\n")
        finally:
            if signals.heard():  # that process was killed, too
                stopped.remove(Path("."))


if __name__ == "__main__":
    start()
