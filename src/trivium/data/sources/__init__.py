"""Where data comes from: one file per source, each with `write(out, settings, seed, streams)`.

`settings` is the section of params.yaml with the source's name, `streams` is `data.streams`. What a source writes is
what a user would have: media files and tables (see trivium.data.tables). Nothing after ingest knows which one it was.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trivium.data.settings import Data


def write(data: Data, out: Path) -> None:
    """Write the tables of `data.source` to `out`. Raises: UserError."""
    source = importlib.import_module(f"{__name__}.{data.source}")
    source.write(out, getattr(data, data.source), data.seed, data.streams)
