"""Independent pieces of work (a group of streams or a strategy, at one seed), side by side, resumed after a kill.

Each unit works in a folder of its own below `.cache/units`, named by a key that stands for settings, data and code. A
finished one is kept: what a change does not touch, a new name for an entry for instance, is not trained again.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from trivium.data.tables import digest
from trivium.machine import device as devices
from trivium.machine import digests, engines, files, vault
from trivium.machine.cache import link
from trivium.machine.measured import Measured
from trivium.machine.progress import Progress
from trivium.settings.errors import UserError
from trivium.training import code, together
from trivium.training.records import Lacking, Record, Seed, Tuned, Unit
from trivium.training.settings import Loop

HOME = Path(os.environ.get("TRIVIUM_UNITS", ".cache/units"))  # experiments in folders of their own share them
RECORD = "record.json"
MOST = 200  # finished units that are kept, the latest ones

Report = engines.Report
Work = Callable[[Any, Path, Report], Seed | Unit | Tuned | Lacking]  # work(unit, folder, report) -> record


class Done(Record):
    """`record.json` of a finished unit. gpu_bytes: the most memory of its process, where a GPU was used.

    files: all others of the unit, and their digests.
    """

    seconds: float
    gpu_bytes: int | None
    record: Seed | Unit | Tuned | Lacking
    files: dict[str, str] | None = None  # of a version that did not know them


def key(modules: Sequence[str], about: Any) -> str:
    """Stands for everything that a unit's result depends on: `about`, a JSON value, and the code of `modules`."""
    return digest(json.dumps([dict(code.files(modules)), about], sort_keys=True).encode())[:24]


def run(title: str, work: Work, units: Sequence[tuple[str, Any, str]], loop: Loop, inputs: Sequence[Path] = (),
        need: Callable[[int], str] | None = None) -> dict[str, tuple[Path, Done]]:
    """units: (name, argument of `work`, key).  inputs: what they read, see `engines.Needs`.  need: what so many of them
    take of memory, in words. Returns name -> (its folder, what it left).
    """
    HOME.mkdir(parents=True, exist_ok=True)
    vault.fetch_units(mark for *_, mark in units)
    todo = [unit for unit in units if not _finished(HOME / unit[2])]
    if len(todo) < len(units):
        rest = "; the rest goes on" if todo else ""
        print(f"{title}: {len(units) - len(todo)} of {len(units)} were finished before{rest}", flush=True)
    needs = engines.Needs(loop.workers, loop.device, inputs, loop.processes,
                          "`loop.workers` or `loop.batch` smaller")
    if todo and need is not None and not os.environ.get(engines.ADDRESS) and devices.kind(loop.device) == "cpu":
        print(f"{title}: {_alone(need, len(todo))}", flush=True)
    with Progress(title, math.inf, "samples") as progress:
        if todo:
            tasks = [engines.Task(unit, HOME / mark, name) for name, unit, mark in todo]
            engines.chosen().run(partial(_work, work, loop), tasks, needs, partial(_show, progress))
    found = {name: (HOME / mark, Done.read(HOME / mark / RECORD)) for name, _, mark in units}
    _prune({mark for *_, mark in units})
    return found


def _alone(need: Callable[[int], str], units: int) -> str:
    """What is needed, computed by one thread: a fork of a process in which several have worked waits for them for ever.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return need(units)
    finally:
        torch.set_num_threads(threads)


def _finished(folder: Path) -> bool:
    """Whether all that the unit left is there and as it was; it goes where it is not."""
    if not (folder / RECORD).exists():
        return False
    try:
        lost = digests.damaged(folder, Done.read(folder / RECORD).files or {})
    except UserError:
        lost = RECORD
    if lost:
        print(f"{folder / lost} is damaged: its content is not what training wrote. What is in that folder is removed, "
              "and this unit is trained again, to the same result.", flush=True)
        shutil.rmtree(folder)
        return False
    os.utime(folder)  # asked for just now
    return True


def _prune(asked: set[str]) -> None:
    """Drop the oldest of the units that nobody asked for just now, down to `MOST`."""
    spare = [path for path in HOME.iterdir() if path.name not in asked]
    spare.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in spare[MOST:]:
        shutil.rmtree(path, ignore_errors=True)


def copy(folder: Path, out: Path) -> None:
    """The files of a finished unit's `folder` in the new folder `out`: links, where the disk allows it.

    What a process that was killed had half-written there (`files.whole`) stays behind.
    """
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and not files.scratch(path)):
        target = out / file.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        link(file, target)


def _show(progress: Progress, shared: Sequence[int]) -> None:
    """A unit that has not begun is taken to be as long as those that have."""
    done, lengths = sum(shared[::2]), [length for length in shared[1::2] if length]
    if lengths:
        progress.total = sum(lengths) * len(shared[::2]) / len(lengths)
    progress.at(done)


def measured(done: Mapping[str, tuple[Path, Done]], name: Literal["seeds", "units", "tuning"]) -> Measured:
    """Of what `run` returned: seconds of each, as `name`, and the most GPU memory of any unit's process."""
    found = [one for _, one in done.values()]
    memory = max((one.gpu_bytes for one in found if one.gpu_bytes is not None), default=None)
    return Measured.model_validate({name: [one.seconds for one in found], "peak_gpu_memory_bytes": memory})


def _work(work: Work, loop: Loop, unit: Any, folder: Path, report: Report) -> None:
    started, device = time.perf_counter(), devices.kind(loop.device)
    record = together.run(work, unit, folder, report, loop.processes, device)
    memory = devices.peak_memory_bytes(device)
    seconds = time.perf_counter() - started
    files.all_on_disk(folder)
    done = Done(seconds=seconds, gpu_bytes=memory, record=record, files=digests.of_folder(folder, RECORD))
    done.write(folder / RECORD)
