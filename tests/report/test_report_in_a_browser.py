"""The report as people meet it: in a window, on a phone, with the keyboard, on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.report.analyses import explain
from tests.report.browser import SIZES, Opened, axe, started
from tests.report.project import build
from trivium.report.html import write

BOX = "(element) => { const box = element.getBoundingClientRect(); return [box.top, box.bottom, box.left, box.right] }"
TIP = "[...document.querySelectorAll('.tip')].map((tip) => tip.hidden ? '' : tip.textContent)[0]"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as found:
        yield found


@pytest.fixture(scope="module")
def report(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = build(tmp_path_factory.mktemp("project"), extras=True)
    explain(root)
    return write(root)


@pytest.fixture
def opened(browser: Any, report: Path) -> Iterator[Callable[..., Opened]]:
    pages = []

    def make(size: str = "desk", dark: bool = False) -> Opened:
        pages.append(Opened(browser, report, size, dark))
        return pages[-1]

    yield make
    for one in pages:
        one.page.close()


def test_nothing_fails_and_nothing_is_asked_for(opened: Callable[..., Opened], report: Path) -> None:
    page = opened()
    page.run("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
    page.run("document.querySelectorAll('audio').forEach((sound) => sound.load())")
    page.page.wait_for_timeout(200)
    assert page.wrong == []
    assert [url for url in page.asked if not url.startswith("data:")] == [report.as_uri()]


def test_what_stands_below_a_table_or_its_words_keeps_away_from_it(opened: Callable[..., Opened]) -> None:
    page = opened()
    gap = "(one) => one.getBoundingClientRect().top - one.previousElementSibling.getBoundingClientRect().bottom"
    tables = page.page.locator(".group > figure + figure")  # what is looked at most, below what spoke most
    assert [round(one.evaluate(gap), 1) for one in tables.all()] == [28.8]
    page.run("document.querySelector('#latency .scroll, section .scroll').insertAdjacentHTML('afterend', '<p>no copy')")
    assert round(page.page.locator(".scroll + p", has_text="no copy").evaluate(gap), 1) == 12.8


@pytest.mark.parametrize("size", SIZES)
def test_the_verdict_is_on_the_first_screen(opened: Callable[..., Opened], size: str) -> None:
    page, (width, height) = opened(size), SIZES[size]
    top, bottom, left, right = page.page.locator("h1").evaluate(BOX)
    assert 0 <= top < bottom < height and 0 <= left < right <= width
    assert page.run("document.documentElement.scrollWidth") <= width  # nothing sticks out
    if size == "desk":  # the picture and the head of the table are there too
        assert page.page.locator("header svg.chart").evaluate(BOX)[1] < height
        assert page.page.locator("table.strategies tbody tr").first.evaluate(BOX)[1] < height


def test_every_fold_opens(opened: Callable[..., Opened]) -> None:
    page = opened()
    folds = page.page.locator("details")
    assert folds.count() >= 8
    for fold in folds.all():
        fold.locator("> summary").focus()
        page.page.keyboard.press("Enter")
        assert fold.evaluate("(fold) => fold.open && fold.lastElementChild.getBoundingClientRect().height > 0")


def test_every_link_leads_somewhere(opened: Callable[..., Opened]) -> None:
    page = opened()
    links = page.page.locator("a").evaluate_all("(links) => links.map((link) => link.getAttribute('href'))")
    assert len(links) > 15 and all(page.page.locator(link).count() == 1 for link in links)
    page.page.locator("nav a[href='#provenance']").click()
    assert page.page.locator("#provenance pre").is_visible()  # what is folded opens


def test_tips_show_where_the_keyboard_is(opened: Callable[..., Opened]) -> None:
    page = opened()
    page.page.keyboard.press("Tab")
    assert page.run("document.activeElement.className") == "skip"
    page.page.keyboard.press("Tab")
    assert page.run("document.activeElement.getAttribute('class')") == "chart"  # that of the first screen
    first = page.run(TIP)
    assert "Ensemble of single streams: accuracy 92.1\u00a0%" in first
    page.page.keyboard.press("ArrowRight")
    assert page.run(TIP) not in ("", first)
    page.page.keyboard.press("ArrowLeft")
    assert page.run(TIP) == first
    page.page.keyboard.press("Escape")
    assert page.run(TIP) == ""
    cells = page.page.locator("#contributions td[tabindex]")
    cells.first.focus()
    page.page.wait_for_timeout(1000)  # it scrolls into view
    assert page.run(TIP).startswith("seeds: ")
    cells.first.blur()
    assert page.run(TIP) == ""
    cells.nth(1).hover()
    page.page.wait_for_timeout(300)
    page.page.mouse.move(0, 0)
    cells.nth(1).hover()  # nothing moves any more
    assert page.run(TIP).startswith("seeds: ")


def test_menus_headings_and_legends_work(opened: Callable[..., Opened]) -> None:
    page = opened()
    page.page.locator("#strategies select").select_option("nll")
    assert page.page.locator("#strategies thead th").nth(2).inner_text() == "negative log-likelihood"
    page.page.locator("#strategies thead th").nth(2).click()
    shown = page.page.locator("#strategies tbody td.wide b:visible").all_inner_texts()
    assert all(value.endswith("\u00a0nats") for value in shown)
    values = [float(value.split("\u00a0")[0]) for value in shown]
    assert values == sorted(values) and len(values) == 6
    switch = page.page.locator("#learning .switch").first
    toggled = switch.get_attribute("data-toggle")
    switch.click()
    assert switch.get_attribute("aria-pressed") == "false"
    assert page.page.locator(f"#learning .{toggled}.off").count() > 0


def test_folds_open_on_paper_and_close_again(opened: Callable[..., Opened]) -> None:
    page, state = opened(), "[...document.querySelectorAll('details')].map((fold) => fold.open)"
    assert not any(page.run(state))
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    assert all(page.run(state))
    page.run("window.dispatchEvent(new Event('afterprint'))")
    assert not any(page.run(state))


def test_headings_go_down_one_level_at_a_time(opened: Callable[..., Opened]) -> None:
    levels = opened().run("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((one) => Number(one.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing(opened: Callable[..., Opened], size: str, dark: bool) -> None:
    rules, page = axe(), opened(size, dark)
    page.run("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
    page.run(rules)
    found = page.run("axe.run({ resultTypes: ['violations'] }).then((found) => found.violations)")
    bad = [f"{one['id']}: {node['html'][:200]} {node['failureSummary'][:300]}" for one in found
           for node in one["nodes"]]
    assert bad == []
