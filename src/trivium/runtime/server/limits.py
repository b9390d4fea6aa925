"""What a client may ask for. Each limit names the answer that it gives."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Limits(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    body_bytes: Annotated[int, Field(ge=1024)] = 16 * 2**20  # of a request: 413
    body_seconds: Annotated[float, Field(gt=0)] = 20.0  # until all of it is here: 408
    header_seconds: Annotated[float, Field(gt=0)] = 10.0  # until its header is here: the connection is closed
    buffered_bytes: Annotated[int, Field(ge=1024)] = 256 * 2**20  # of all requests that are being read: 429
    rows: Annotated[int, Field(ge=1)] = 256  # of a request: 413
    queue: Annotated[int, Field(ge=1)] = 1024  # rows that wait: 429
    batch: Annotated[int, Field(ge=1)] = 64  # rows that are answered together
    characters: Annotated[int, Field(ge=1)] = 50_000  # of a text or of the cells of a row; the row gets an error
    pixels: Annotated[int, Field(ge=1)] = 50_000_000  # of a picture or a frame; the row gets an error
    seconds: Annotated[float, Field(gt=0)] = 600.0  # of a sound or a video; the row gets an error
    hertz: Annotated[int, Field(ge=1)] = 384_000  # of a sound; the row gets an error
    drain_seconds: Annotated[float, Field(gt=0)] = 10.0  # for what was begun when the server is told to stop


class Refused(Exception):
    """A request that gets no answers. status: of HTTP;  reason: a word for the metrics;  words: for the client."""

    def __init__(self, status: int, reason: str, words: str, again: int | None = None) -> None:
        super().__init__(words)
        self.status, self.reason, self.words, self.again = status, reason, words, again
