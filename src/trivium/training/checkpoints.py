"""What a run goes on from after a kill: one file, sealed with the digest of its content."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from trivium.machine import digests, files


def write(path: Path, save: Callable[[Path], None], first: bool = True) -> None:
    """The file is there whole or not at all. save: writes it, in each of the processes that train together; the
    `first` of them has it.
    """
    scratch = path.with_suffix(".part")  # which attempts of others do not copy, see `machine.engines.attempts`
    save(scratch)
    if first:
        digests.seal(scratch)
        files.on_disk(scratch)
        os.replace(scratch, path)


def read(path: Path | None, load: Callable[[Path], dict[str, Any]] | None = None) -> dict[str, Any] | None:
    """None where there is none, or it is damaged: then it goes, and the run begins anew, to the same bytes.

    load: of shares of it; default: all of it.
    """
    try:
        if path is None or not path.exists():
            return None
        if digests.sealed(path):
            return torch.load(path, weights_only=True) if load is None else load(path)
        print(f"{path} is damaged: its content is not what was written. It is removed, and this unit is trained from "
              "its beginning, to the same result.", flush=True)
        path.unlink(missing_ok=True)
    except FileNotFoundError:  # another process that trains together with this one has just removed it
        pass
    return None
