"""The routes. `/predict` answers; `/health`, `/ready` and `/metrics` are for machines; `/` and `/docs` for people."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse

from trivium.runtime.runner import Runner
from trivium.runtime.server import page
from trivium.runtime.server.batching import Answer, Batcher, Watch
from trivium.runtime.server.body import Bodies, form
from trivium.runtime.server.limits import Limits, Refused
from trivium.runtime.server.metrics import Metrics
from trivium.runtime.server.reading import ID, Reader, Row, parsed

LARGE = 200_000  # bytes of a body that is read in a thread, so that others do not wait for it
FILES = Path(__file__).parent / "files"
OPEN = "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self'; script-src 'self'"


class Service:
    """What the routes share. token: that clients must show, or None."""

    def __init__(self, runner: Runner, limits: Limits, token: str | None = None, watch: Watch | None = None) -> None:
        self.runner, self.limits, self.token = runner, limits, token
        self.metrics, self.bodies = Metrics(), Bodies(limits)
        self.reader = Reader(runner.streams, runner.cells, limits)
        self.batcher = Batcher(runner, limits, self.metrics.batch.observe, watch)
        self.draining = self.ready = False

    async def predict(self, request: Request, explain: bool) -> Response:
        if self.draining:
            raise Refused(503, "draining", "The server is being stopped.")
        self.check_token(request)
        async with self.bodies.read(request) as body:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind == "multipart/form-data":
                given = [await form(body, request)]
            elif kind in ("application/json", ""):
                given = await self._beside(len(body), parsed, body, self.limits)
            else:
                raise Refused(415, "type", "Send application/json or multipart/form-data.")
            read = await self._beside(len(body), self._rows, given)
            rows = [row for row, _, why in read if why is None]
            answers = iter(await self.batcher.answer(rows) if rows else [])
            found = []
            for one, (row, told, why) in zip(given, read, strict=True):
                answer: Answer = {"warning": None, "error": why} if why else dict(next(answers))
                if told:
                    answer["warning"] = "; ".join(filter(None, (answer["warning"], told)))
                if explain and answer["error"] is None:
                    answer["without"] = await self._without(row)
                found.append(({ID: one[ID]} if isinstance(one.get(ID), str | int | float) else {}) | answer)
        bad = sum(one["error"] is not None for one in found)
        self.metrics.rows.labels("error").inc(bad)
        self.metrics.rows.labels("answer").inc(len(found) - bad)
        about = self.runner.about
        return JSONResponse({"strategy": about.strategy, "answers": found}, 422 if bad == len(found) else 200)

    async def _beside(self, size: int, work: Any, *given: Any) -> Any:
        return work(*given) if size < LARGE else await asyncio.to_thread(work, *given)

    def _rows(self, given: Sequence[Row]) -> list[tuple[Row, str | None, str | None]]:
        """Of each: the values, what was not used, and why there can be no answer."""
        found = list[tuple[Row, str | None, str | None]]()
        for row in given:
            try:
                found.append((*self.reader.row(row), None))
            except ValueError as error:
                found.append(({}, None, str(error)))
        return found

    async def _without(self, row: Row) -> dict[str, Answer]:
        """Stream -> the answer to the row without it: what the answer rests on."""
        there = [s for s in self.runner.read if s in row]
        if len(there) < 2:
            return {}
        rows = [{key: value for key, value in row.items() if key != s} for s in there]
        return dict(zip(there, await self.batcher.answer(rows, watched=False), strict=True))

    def check_token(self, request: Request) -> None:
        """Raises: Refused."""
        if self.token is None:
            return
        shown = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(shown, f"Bearer {self.token}".encode()):
            raise Refused(401, "token", "Show the token: `Authorization: Bearer TOKEN`.")


def app(service: Service) -> FastAPI:
    @asynccontextmanager
    async def alive(_: FastAPI) -> AsyncIterator[None]:
        work = asyncio.create_task(service.batcher.run())
        service.ready = True
        yield
        work.cancel()

    made = FastAPI(title="Trivium", docs_url=None, redoc_url=None, lifespan=alive,
                   description=f"Answers of {service.runner.about.title}.")

    @made.post("/predict", openapi_extra=page.schema(service))
    async def predict(request: Request, explain: bool = False) -> Response:
        """Answers to rows, in their order; a row that cannot be answered has an `error`, and the others do not mind."""
        begun = time.perf_counter()
        try:
            found = await service.predict(request, explain)
        except Refused as refused:
            service.metrics.refused.labels(refused.reason).inc()
            found = JSONResponse({"error": refused.words}, refused.status)
            if refused.again:
                found.headers["Retry-After"] = str(refused.again)
            if refused.status in (408, 413, 429):
                found.headers["Connection"] = "close"  # the rest of the body is not read
        service.metrics.requests.labels(str(found.status_code)).inc()
        service.metrics.seconds.observe(time.perf_counter() - begun)
        service.metrics.queue.set(service.batcher.queued)
        return found

    @made.get("/health")
    async def health() -> Response:
        """The process is alive."""
        return PlainTextResponse("alive")

    @made.get("/ready")
    async def ready() -> Response:
        """It takes requests: 503 while it starts or stops."""
        good = service.ready and not service.draining
        return PlainTextResponse("ready" if good else "not ready", 200 if good else 503)

    @made.get("/metrics")
    async def metrics(request: Request) -> Response:
        """For Prometheus."""
        try:
            service.check_token(request)
        except Refused as refused:
            return JSONResponse({"error": refused.words}, refused.status)
        service.metrics.queue.set(service.batcher.queued)
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")

    @made.get("/about")
    async def about() -> Response:
        """The model, its streams and the limits: what the page is drawn from."""
        return JSONResponse(page.about(service))

    def shown(path: str, name: str) -> None:
        @made.get(path, include_in_schema=False)
        async def file() -> Response:
            return FileResponse(FILES / name, headers={"Content-Security-Policy": OPEN, "Cache-Control": "no-cache"})

    for path, name in (("/", "page.html"), ("/page.js", "page.js"), ("/page.css", "page.css"),
                       ("/docs", "docs.html"), ("/docs.js", "docs.js")):
        shown(path, name)
    return made
