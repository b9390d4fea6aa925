"""One report with all that it can have, for all who only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report.page import Page
from tests.report.project import build
from trivium.report.html import write


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("project"), extras=True)


@pytest.fixture(scope="session")
def text(project: Path) -> str:
    return write(project).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def page(text: str) -> Page:
    return Page(text)
