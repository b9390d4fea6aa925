"""Ctrl-C and SIGTERM at random moments of every stage, to the whole group as a terminal sends it and to one process."""

from __future__ import annotations

import random
import signal
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from benchmarks.faults import Kind, Tally
from benchmarks.faults.forks import Warm
from benchmarks.faults.trials import Place, ended, tried
from trivium.machine.progress import track

COLD = 0.25  # of the trials begin as DVC begins a stage: with its imports, among which signals come, too
NAMES = {signal.SIGINT: "interrupt: Ctrl-C", signal.SIGTERM: "interrupt: SIGTERM"}
WHAT = ("{} at a random moment of every stage, to its group or to it alone: out within 5 s with exit code {}, no "
        "process, half-written file or running run left, and the same bytes afterwards")


def campaign(repetitions: int, folder: Path, seed: int) -> dict[str, Kind]:
    draw = random.Random(seed)
    tallies = {number: Tally(name, WHAT.format(name.partition(": ")[2], 128 + number))
               for number, name in NAMES.items()}
    kinds = list(islice(cycle((number, group) for group in (True, False) for number in NAMES), repetitions))
    with Warm() as warm:
        place = Place(warm, folder)
        place.fresh()
        for trial, (number, group) in enumerate(track(kinds, "interrupts", repetitions, "trial")):
            act = partial(ended, place, number, group)
            lost, where = tried(place, draw, COLD, act)
            tallies[number].add(lost, f"trial {trial}, {where}, {'group' if group else 'alone'}")
    return {tally.name: tally.kind() for tally in tallies.values()}
