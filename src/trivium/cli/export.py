"""`trivium export NAME`: a trained strategy as a folder that stands alone."""

from __future__ import annotations

from pathlib import Path

from trivium.serving.export import record
from trivium.serving.export.write import said, write
from trivium.settings.errors import UserError
from trivium.stage import fresh

HOME = Path("exports")


def export(root: Path, strategy: str, out: Path | None, small: bool, docker: bool = False) -> str:
    """See `write`; `out`: a new folder, or one that was exported before, which is replaced; None: `exports/STRATEGY`.
    Returns what was done, in words. Raises: UserError.
    """
    folder = out or root / HOME / strategy
    if folder.exists() and not (folder.is_dir() and (not any(folder.iterdir()) or record.found(folder))):
        raise UserError(f"--out {folder} is there already, and it is no exported model: name a new folder.")
    with fresh(folder) as scratch:
        made = write(root, strategy, scratch, small, docker=docker)
    return "\n".join([said(made, folder), *_shared(root, strategy, folder)])


def _shared(root: Path, strategy: str, folder: Path) -> list[str]:
    """Beside the strategy's run, where MLFLOW_TRACKING_URI names a server; what is said of that."""
    from trivium.tracking import exports, server, sync

    try:
        if server.address() is None:
            return []
        exports.promise(root, strategy, folder)
        return [sync.sync(root)]
    except UserError as error:  # the folder is there all the same
        return [f"note: {error}"]
