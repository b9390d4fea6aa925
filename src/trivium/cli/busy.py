"""Whether a run is at work in this folder, before a command does what a run must not meet.

While a stage runs, DVC says in `.dvc/tmp/rwlock` what it reads and writes; between stages it holds `.dvc/tmp/lock`. It
refuses a second run itself, but speaks of files to be removed by hand.
"""

from __future__ import annotations

import fcntl
import time
from datetime import datetime
from pathlib import Path

from trivium.machine import files
from trivium.settings.errors import UserError

RWLOCK, LOCK = ".dvc/tmp/rwlock", ".dvc/tmp/lock"
PATIENCE = 3.0  # seconds that another command may hold the lock, such as `dvc status`


def refuse(root: Path, then: str) -> None:
    """then: what to do when it has ended, "run this again". Raises: UserError (a run is at work)."""
    if (pid := _writing(root)) is not None:
        import psutil

        begun = f"{datetime.fromtimestamp(psutil.Process(pid).create_time()):%H:%M}"
        raise UserError(f"Another run is at work in this folder since {begun} (`dvc repro`, process {pid}). Wait until "
                        f"it has ended, or end it with Ctrl-C where it was started, and {then}.")
    until = time.monotonic() + PATIENCE
    while _held(root / LOCK):
        if time.monotonic() > until:
            raise UserError(f"Another DVC command is at work in this folder. Wait until it has ended, and {then}.")
        time.sleep(0.1)


def _writing(root: Path) -> int | None:
    """The process of a DVC command that runs a stage here. What a killed one has left does not count."""
    found = files.read_json_or(root / RWLOCK, {})
    written = found.get("write") if isinstance(found, dict) else None
    pids = {int(one["pid"]) for one in (written or {}).values() if isinstance(one, dict) and "pid" in one}
    if not pids:
        return None
    import psutil

    for pid in sorted(pids):
        try:
            if any("dvc" in word for word in psutil.Process(pid).cmdline()):  # not a later process of this number
                return pid
        except psutil.Error:
            continue
    return None


def _held(lock: Path) -> bool:
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # and let go again
    except BlockingIOError:
        return True
    except OSError:  # there is none
        return False
    return False
