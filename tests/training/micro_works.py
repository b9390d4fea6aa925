"""Units that train in several processes, where the other processes can import them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.training import tiny
from trivium.training import loop as loops
from trivium.training import pretrain
from trivium.training.settings import Loop

Report = Callable[[int, int], None]


def each(about: tuple[Mapping[str, Any], Loop], folder: Path, report: Report) -> None:
    """An encoder of text or of images by each objective, in folders of their own."""
    objectives, loop = about
    for name, objective in objectives.items():
        _one(name, objective, loop, folder / name, report)


def stopped(about: tuple[Mapping[str, Any], Loop], folder: Path, report: Report) -> None:
    """The same, killed in the middle with a checkpoint behind it."""
    before, loops.CHECKPOINT_EVERY = loops.CHECKPOINT_EVERY, 0.0

    def until(samples: int, every: int) -> None:
        if samples > every / 2:
            raise KeyboardInterrupt

    try:
        each(about, folder, until)
    finally:
        loops.CHECKPOINT_EVERY = before  # the first process is that of the tests


def die_later(about: Any, folder: Path, report: Report) -> None:
    """The second process is killed while the first one waits for it."""
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    if accelerator.process_index:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(1)
    accelerator.wait_for_everyone()


def _one(name: str, objective: Any, loop: Loop, folder: Path, report: Report) -> None:
    recipe = tiny.recipe("supervised" if objective == "supervised" else "selfsup", objective=objective, share=0.5)
    group = recipe.groups[1 if name == "adversarial" else 0]
    folder.mkdir(exist_ok=True)
    pretrain._work(pretrain.Unit(recipe, group, 0, loop, tiny.BUDGET), folder, report)
