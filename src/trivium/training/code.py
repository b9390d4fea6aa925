"""The code that a recipe or a strategy runs: what all of them do, and the parts that they name.

A part that is new is named by no entry that was there before, so that it makes nothing run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from trivium.data.tables import digest
from trivium.machine import source

if TYPE_CHECKING:
    from trivium.encoders import Described
    from trivium.strategies import Entry
    from trivium.tasks import Task

RECIPE, STRATEGY, EVALUATION = ("trivium.training.pretrain", "trivium.training.strategy",
                                "trivium.evaluation.evaluate")
SAME = ("machine", "settings", "data/tables.py")  # messages, files and processes: no result depends on them,
BUT = ("machine/device.py",)  # but on how a device computes


def of_recipe(encoders: Iterable[Described], task: type[Task], objectives: Iterable[str]) -> list[str]:
    """Modules. encoders: that it reads with;  objectives: their names."""
    return [RECIPE, *_read(encoders, task), *(f"trivium.objectives.{name}" for name in objectives)]


def of_strategy(encoders: Iterable[Described], task: type[Task], entry: Entry, root: str = STRATEGY) -> list[str]:
    """Modules. encoders: of the recipe that it starts from;  root: what runs it: training or evaluation."""
    from trivium.settings import parts

    objectives = [phase.objective["name"] for phase in entry.plan.phases]
    fused = [parts.split(entry.plan.fusion, "fusion")[0]] if entry.plan.combine == "fusion" else []
    return [root, *_read(encoders, task), f"trivium.strategies.{entry.strategy}",
            *(f"trivium.fusion.{name}" for name in fused),
            *(f"trivium.objectives.network.{name}" for name in objectives)]


def _read(encoders: Iterable[Described], task: type[Task]) -> list[str]:
    """What reads the streams, and what knows the target."""
    from trivium import modalities
    from trivium.encoders.published import adapter

    found = [task.__module__]
    for one in encoders:
        part = adapter(one.weights) if one.weights else None
        found += [f"trivium.modalities.{one.modality}", modalities.processor(one.processor[0]).__name__,
                  part.__name__ if part else f"trivium.encoders.{one.architecture}"]
        found += ["trivium.encoders.over_time"] if "over_time" in one.settings else []
    return found


def files(modules: Sequence[str]) -> Mapping[str, str]:
    """File below `src/trivium` -> digest, of all that `modules` run and that results depend on."""
    room = source.HOME / "trivium"
    names = {file.relative_to(room).as_posix(): file for file in source.files(modules)}
    return {name: digest(file.read_bytes()) for name, file in names.items()
            if name in BUT or not name.startswith(tuple(f"{one}/" if "." not in one else one for one in SAME))}
