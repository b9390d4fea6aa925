"""The page of a sweep: what it says, and that it needs nothing else."""

from pathlib import Path

from tests.report.page import Page
from trivium.comparison.effects import Left, gather
from trivium.comparison.intervals import Span
from trivium.report.sweep import OUT, write
from trivium.tasks.classification import METRICS

EFFECT = {"concat": -0.002, "gated": 0.002, "scratch": -0.05, "published": 0.04}
GRID = [{"fusion": fusion, "recipe": recipe} for fusion in ("concat", "gated") for recipe in ("scratch", "published")]


def page(tmp_path: Path, title: str = "Trees") -> tuple[Page, str]:
    results = []
    for k, one in enumerate(GRID):
        values = [0.6 + sum(EFFECT[level] for level in one.values()) + 0.01 * seed + 0.002 * (k * seed % 3)
                  for seed in range(3)]
        mean = sum(values) / 3
        results.append((one, Span(mean=mean, low=mean - 0.02, high=mean + 0.02), values, 2e9))
    left = [Left(levels={"fusion": "gated", "recipe": "simple"}, reason="`joint` needs tokens.")]
    text = (tmp_path / write(tmp_path, gather(title, METRICS["accuracy"], results, left, 6, 5))).read_text()
    return Page(text), text


def test_it_shows_effects_and_combinations(tmp_path: Path) -> None:
    found, text = page(tmp_path)
    assert found.sections == {"fusion", "recipe", "combinations"}
    assert {(link["href"] or "")[1:] for link in found.of("a")} == found.sections | {"content"}
    words = "".join(found.words)
    assert "The recipe matters: 9.0 points (8.8 to 9.2) between published and scratch." in words
    assert "4 of 6 combinations were run, at 3 seeds each, with the budget of the comparison. 1 cannot be run." in words
    rows = [[cell.split(" ")[0] for cell in row] for row in found.cells]
    assert ["published", "+4.5", "published:", "2"] in rows and ["scratch", "−4.5", "scratch:", "2"] in rows
    best = next(row for row in found.cells if row[:2] == ["gated", "published"])
    assert best[2].startswith("65.2\u00a0%") and best[3] == "65.3\u00a0%" and best[4] == "2.00\u00a0GFLOP"
    assert ["gated", "simple", "`joint` needs tokens."] in found.cells
    assert "://" not in text and "default-src &#39;none&#39;" in text


def test_names_are_escaped_and_the_page_is_the_same_every_time(tmp_path: Path) -> None:
    _, text = page(tmp_path, "<b>Trees</b>")
    assert "<b>Trees" not in text and "&lt;b&gt;Trees" in text
    assert page(tmp_path, "<b>Trees</b>")[1] == text
    assert Path("reports/sweep.html") == OUT
