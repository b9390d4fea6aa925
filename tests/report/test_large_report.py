"""Twenty strategies and ten thousand test samples: the page stays light and opens at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.report.browser import SIZES, Opened, started
from tests.report.project import build
from trivium.report.html import write

pytestmark = pytest.mark.slow
STRATEGIES = {f"strategy_number_{k}": 1.8 + 0.1 * k for k in range(20)}
SECONDS = 2.0  # that people wait; a busy machine gets three times as long


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    return write(build(root, samples=28_572, seeds=2, strategies=STRATEGIES, extras=True, files=60))


def test_it_is_light(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert "20 strategies, 2 paired seeds × 10,000 test samples" in text
    assert report.stat().st_size < 6_000_000


def test_it_opens_at_once(report: Path) -> None:
    with started() as browser:
        Opened(browser, report).page.close()  # the browser itself has to wake up
        before = time.perf_counter()
        opened = Opened(browser, report)
        opened.page.locator("#content").wait_for()
        assert time.perf_counter() - before < 3 * SECONDS
        assert opened.wrong == []


@pytest.mark.parametrize("size", SIZES)
def test_nothing_sticks_out(report: Path, size: str) -> None:
    """Wide tables scroll in their own boxes, with all that is in them."""
    with started() as browser:
        opened = Opened(browser, report, size)
        opened.run("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
        assert opened.run("document.documentElement.scrollWidth") == SIZES[size][0]
