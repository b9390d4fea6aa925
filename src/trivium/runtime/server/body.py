"""The body of a request: read while it comes, and no longer than it is allowed to be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from trivium.runtime.server.limits import Limits, Refused

if TYPE_CHECKING:
    from starlette.requests import Request


class Bodies:
    """All that are being read or at work; together they hold `buffered_bytes` at most."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.held = limits, 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The whole body, counted as held until the block ends. Raises: Refused."""
        count, parts = 0, list[bytes]()
        try:
            try:
                async with asyncio.timeout(self.limits.body_seconds):
                    self._check(int(request.headers.get("content-length") or 0), 0)
                    async for part in request.stream():
                        self._check(count + len(part), len(part))
                        count += len(part)
                        self.held += len(part)
                        parts.append(part)
            except TimeoutError:
                raise Refused(408, "slow", f"The body did not come within {self.limits.body_seconds:g} s.") from None
            except ValueError:
                raise Refused(400, "header", "`Content-Length` is no number.") from None
            yield b"".join(parts)
        finally:
            self.held -= count

    def _check(self, count: int, more: int) -> None:
        if count > self.limits.body_bytes:
            raise Refused(413, "body", f"The body has more than {self.limits.body_bytes / 2**20:g} MiB.")
        if self.held + more > self.limits.buffered_bytes:
            raise Refused(429, "memory", "Too much is being sent at once. Try again in a second.", again=1)


async def form(body: bytes, request: Request) -> dict[str, Any]:
    """The one row of a `multipart/form-data` body: fields are texts, files are bytes. Raises: Refused."""
    from starlette.datastructures import UploadFile
    from starlette.formparsers import MultiPartException, MultiPartParser

    async def once() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        parser = MultiPartParser(request.headers, once(), max_files=64, max_fields=256, max_part_size=len(body) + 1)
        found = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        said = getattr(error, "message", None) or str(error) or type(error).__name__
        raise Refused(400, "form", f"The form cannot be read ({said}).") from None
    row: dict[str, Any] = {}
    for name, value in found.multi_items():
        row[name] = await value.read() if isinstance(value, UploadFile) else value
    await found.close()
    return row
