"""What a process that answers is told to do."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from trivium.runtime.server.limits import Limits

WORD = b"."  # from a worker to its supervisor: ready, then: a connection has ended
BACKLOG = 2048  # connections that the system keeps until they are taken


class Told(BaseModel):
    """folder: of the export;  token: that clients must show, or None;  log: of `Watch`"""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path
    int8: bool
    limits: Limits
    token: str | None
    log: Path | None
    log_raw: bool
