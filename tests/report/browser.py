"""A real browser for the tests that need one; they are skipped, with what to install, where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PLAYWRIGHT = "playwright==1.65.2"
NAMES = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"desk": (1280, 800), "phone": (390, 844)}  # pixels
AXE = "AXE"  # environment variable: where axe.min.js of the npm package axe-core lies


@contextmanager
def started() -> Iterator[Any]:
    """Playwright's browser, for as long as it is needed."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium is installed: `apt-get install chromium`")
    api = pytest.importorskip("playwright.sync_api", reason=f"no Playwright: `pip install {PLAYWRIGHT}` (no download)")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


class Opened:
    """The page of a file in a window of `size`, what it asked for, and what went wrong in it."""

    def __init__(self, browser: Any, path: Path, size: str = "desk", dark: bool = False) -> None:
        width, height = SIZES[size]
        self.page = browser.new_page(viewport={"width": width, "height": height},
                                     color_scheme="dark" if dark else "light")
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._hear)
        self.page.goto(path.absolute().as_uri())

    def _hear(self, said: Any) -> None:
        if said.type in ("error", "warning"):
            self.wrong.append(said.text)

    def run(self, script: str) -> Any:
        return self.page.evaluate(script)


def axe() -> str:
    """The text of axe-core."""
    path = Path(os.environ.get(AXE) or "node_modules/axe-core/axe.min.js")
    if not path.is_file():
        pytest.skip(f"no axe-core: `npm install axe-core`, and {AXE}=.../node_modules/axe-core/axe.min.js")
    return path.read_text(encoding="utf-8")
