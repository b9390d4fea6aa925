"""Where data comes from: one file per source, each with `write(out, settings, seed, streams)`; `manifest`, whose labels
may be anything, is told the task as well.

`settings` is the section of params.yaml with the source's name, `streams` is `data.streams`. What a source writes is
what a user would have: media files and tables (see trivium.data.tables). Nothing after ingest knows which one it was.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trivium.data.settings import Data
    from trivium.tasks import Task


def write(data: Data, out: Path, task: type[Task]) -> None:
    """Write the tables of `data.source` to `out`. task: what is predicted. Raises: UserError."""
    source = importlib.import_module(f"{__name__}.{data.source}")
    more = (task,) if data.source == "manifest" else ()
    source.write(out, getattr(data, data.source), data.seed, data.streams, *more)
