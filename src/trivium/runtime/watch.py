"""What a served model was asked and answered, as statistics: a line of JSON per row.

`trivium drift` compares such a log with what the model learned from.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trivium.runtime import values
from trivium.runtime.folder import GRAPH, PROCESSORS
from trivium.runtime.inputs import Row
from trivium.runtime.runner import Runner
from trivium.runtime.statistics import answer, described

LIMIT = 64 * 2**20  # bytes of a log; then it is moved to LOG.1, and what was there is dropped


class Watch:
    """Called by a server after each batch. log: appended to;  raw: whether raw values are logged too (they may be
    personal data);  limit: bytes.
    """

    def __init__(self, log: Path, runner: Runner, raw: bool = False, limit: int = LIMIT) -> None:
        self.log, self.runner, self.raw, self.limit = log, runner, raw, limit
        self.model = fingerprint(runner.folder)

    def __call__(self, rows: Sequence[Row], stored: np.ndarray) -> None:
        """stored: float64 [B, A], the answers of `rows` (see `Task.stored`)."""
        runner, lines = self.runner, []
        asked = described(runner.inputs.anonymised(rows), runner.inputs, runner.read)
        said = answer.measured(runner.task, stored)
        for row, streams, own in zip(rows, asked, said, strict=True):
            line: dict[str, Any] = {"model": self.model, "streams": streams, "answer": own}
            if self.raw:
                line["raw"] = {s: _plain(row.get(s)) for s in runner.streams if not values.missing(row.get(s))}
            lines.append(json.dumps(line) + "\n")
        append(self.log, "".join(lines).encode(), self.limit)


def append(log: Path, content: bytes, limit: int) -> None:
    """All of it, or nothing where the disk is full. Several processes may do so: their lines do not mix, and one of
    them moves a full log away.
    """
    while True:
        with open(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "wb", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file.fileno()).st_size
            if size >= limit:
                with contextlib.suppress(FileNotFoundError):  # another process has just moved it
                    if os.path.samestat(os.fstat(file.fileno()), os.stat(log)):
                        os.replace(log, f"{log}.1")
                continue
            if file.write(content) != len(content):
                file.truncate(size)
            return


def fingerprint(folder: Path) -> str:
    """Of an exported model: its graph, and what stands before it."""
    digest = hashlib.sha256()
    for name in (GRAPH, PROCESSORS):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]


def _plain(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
