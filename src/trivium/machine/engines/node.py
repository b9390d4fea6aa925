"""What a node of a cluster does with a task: look whether it sees the disk that the task comes from, else take the
files that were sent; work; and give back what was made.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trivium.machine import device as devices
from trivium.machine.engines import Work, attempts, away, sent
from trivium.settings.errors import UserError

ENVIRONMENT = ("TOKENIZERS_PARALLELISM", "TRANSFORMERS_VERBOSITY", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_OFFLINE",
               "TRANSFORMERS_OFFLINE")  # what a node takes over of these
EVERY = 0.5  # seconds between reports of how far a task is


@dataclass(frozen=True)
class Order:
    """A task, for a node. root, folder: absolute, on the machine that hands it out.  mark: a file that is in `.cache`
    of the root and beside the folder while it waits.  files: see `sent`; null until a node asks for them.
    there: absolute paths that the node has to have.  device: cpu or cuda.  outs: see `away.place`.
    """

    work: Work
    argument: Any
    root: Path
    folder: Path
    mark: str
    files: sent.Files | None
    there: tuple[str, ...]
    device: str
    environment: Mapping[str, str]
    outs: str = ""

    def marks(self) -> list[Path]:
        return [self.root / ".cache" / self.mark, self.folder.parent / self.mark]


def work(order: Order, index: int, board: Any, blobs: Mapping[str, Any]) -> tuple[Any, ...]:
    """("done", what the work gave, its files, bytes of this process at its largest, this node's address), the files as
    the folder where they are, where the disk is shared, else as `away.Left`; or ("lacks", digests of files
    that are to be sent, null of all); or ("refused", why).

    blobs: digest -> references to the pieces of a file.
    """
    os.environ.update(order.environment)
    warnings.filterwarnings("ignore")
    if shared := all(mark.exists() for mark in order.marks()):
        root, folder = order.root, order.folder
    else:
        if order.files is None:
            return "lacks", None
        if lacking := [path for path in order.there if not Path(path).exists()]:
            return "refused", (f"The node {name()} has no {lacking[0]}, which params.yaml names: copy it there, or "
                               "name a folder inside the project, which is sent to every node.")
        made = sent.project(order.files, frozenset(blobs), lambda digest: _fetched(blobs[digest]))
        if isinstance(made, list):
            return "lacks", made
        root, folder = made, made / ".cache/units" / order.folder.name
    os.chdir(root)
    attempt = attempts.new(folder)
    attempts.begin(attempt, folder)
    told = _Told(board, index)
    try:
        devices.kind(order.device)
        with redirect_stdout(told):
            result = order.work(order.argument, attempt, told.report)
    except UserError as error:
        return "refused", f"{error} (This was on the node {name()}.)"
    told.send()
    peak = (1 if sys.platform == "darwin" else 1024) * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if shared:
        return "done", result, attempt, peak, name()
    try:
        packed = away.leave(attempt, order.outs)
    except UserError as error:
        return "refused", f"{error} (This was on the node {name()}.)"
    attempts.end(attempt, folder)
    shutil.rmtree(folder)
    return "done", result, packed, peak, name()


def name() -> str:
    """The node's address."""
    import ray

    return str(ray.util.get_node_ip_address())


def _fetched(references: list[Any]) -> Iterator[bytes]:
    import ray

    for one in references:
        yield ray.get(one)


class _Told:
    """What a task says of itself, sent to the board: how far it is, and the lines that it prints."""

    def __init__(self, board: Any, index: int) -> None:
        self.board, self.index, self.numbers, self.last = board, index, (0, 0), 0.0
        self.line, self.lines = "", list[str]()

    def report(self, samples: int, every: int) -> None:
        self.numbers = samples, every
        if time.monotonic() - self.last > EVERY:
            self.send()

    def write(self, text: str) -> int:
        *whole, self.line = (self.line + text).split("\n")
        self.lines += whole
        if whole:
            self.send()
        return len(text)

    def flush(self) -> None:
        """As files have it; a line goes when it ends."""

    def send(self) -> None:
        self.last, lines, self.lines = time.monotonic(), self.lines, []
        self.board.tell.remote(self.index, self.numbers, lines)
