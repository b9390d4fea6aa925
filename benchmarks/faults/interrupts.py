"""Ctrl-C and SIGTERM at random moments of every stage, to the whole group as a terminal sends it and to one process."""

from __future__ import annotations

import random
import signal
from functools import partial
from itertools import cycle
from pathlib import Path

from benchmarks.faults import Kind, Tally
from benchmarks.faults.forks import Running
from benchmarks.faults.trials import Place, ended, run

COLD = 0.25  # of the trials begin as DVC begins a stage: with its imports, among which signals come, too
NAMES = {signal.SIGINT: "interrupt: Ctrl-C", signal.SIGTERM: "interrupt: SIGTERM"}
WHAT = ("{} at a random moment of every stage, to its group or to it alone: out within 5 s with exit code {}, no "
        "process, half-written file or running run left, and the same bytes afterwards")


def campaign(repetitions: int, folder: Path, seed: int) -> dict[str, Kind]:
    draw = random.Random(seed)
    tallies = {number: Tally(name, WHAT.format(name.partition(": ")[2], 128 + number))
               for number, name in NAMES.items()}
    kinds = cycle((number, group) for group in (True, False) for number in NAMES)

    def act(place: Place, running: Running) -> tuple[Tally, str] | None:
        number, group = next(kinds)
        lost = ended(place, number, group, running)
        return None if lost is None else (tallies[number], f"{'group' if group else 'alone'}: {lost}" if lost else "")

    run(repetitions, folder, draw, COLD, lambda place: partial(act, place))
    return {tally.name: tally.kind() for tally in tallies.values()}
