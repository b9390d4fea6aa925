"""Reports of other tasks than classes: what they show, what they leave out, and in which words and units."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.report.browser import SIZES, Opened, started
from tests.report.of_tasks import KINDS, TAGS, build
from tests.report.page import Page
from trivium import tasks
from trivium.drawing.agreement import agreement
from trivium.drawing.looks import Look
from trivium.evaluation import predictions
from trivium.report import glossary
from trivium.report.html import write
from trivium.report.inputs import Inputs
from trivium.report.measures import axis, cell, heading, said, span, unit, whole
from trivium.report.sections import predicted
from trivium.tasks.metric import bare, nats, share

SAMPLES = 240
OF_CLASSES = {"accuracy", "class", "classes", "label"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kind -> its project, with a report."""
    found = {name: build(tmp_path_factory.mktemp(name), kind(SAMPLES), seeds=2) for name, kind in KINDS.items()}
    for root in found.values():
        write(root)
    return found


def page(root: Path) -> Page:
    return Page((root / "reports/report.html").read_text(encoding="utf-8"))


def text(root: Path) -> str:
    return "".join(page(root).words).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("kind", "there", "absent"),
    [
        ("prices", {"predicted"}, {"errors", "tags", "calibration", "similarity"}),
        ("houses", {"predicted"}, {"errors", "tags", "calibration", "similarity"}),
        ("tagged", {"tags", "calibration"}, {"errors", "predicted", "similarity"}),
        ("graded", {"errors", "calibration", "similarity"}, {"tags", "predicted"}),
    ],
)
def test_what_has_no_meaning_is_absent(made: dict[str, Path], kind: str, there: set[str], absent: set[str]) -> None:
    everywhere = {"strategies", "pairs", "cost", "learning", "streams", "contributions", "robustness", "attributions",
                  "disagreements", "data", "reading"}
    sections = page(made[kind]).sections
    assert everywhere | there <= sections and not sections & absent


@pytest.mark.parametrize("kind", ["prices", "houses", "tagged"])
def test_no_word_of_classes_where_there_are_none(made: dict[str, Path], kind: str) -> None:
    read = page(made[kind])
    heard = [attributes.get(key) or "" for _, attributes in read.elements for key in ("alt", "title", "aria-label")]
    assert not OF_CLASSES & set(re.findall(r"[a-z]+", " ".join([*read.words, *heard]).lower()))


def test_numbers_have_units(made: dict[str, Path]) -> None:
    comparison = json.loads((made["prices"] / "reports/comparison.json").read_text())
    best = comparison["strategies"][comparison["verdict"].get("recommended", "ensemble")]
    found, rows = text(made["prices"]), page(made["prices"]).cells
    assert f"mean absolute error {best['metrics']['mae']['mean']:.1f} EUR" in found
    head = next(row for row in rows if row[:2] == ["rank", "strategy"])
    assert [one for one in head if one.endswith(", EUR")] and not any(one.endswith("EUR") and ", " not in one
                                                                      for one in head[3:])
    assert "A better by, R²" in rows[[row[0] for row in rows].index("A")] and "p (McNemar)" not in found
    assert "of which price in EUR is to be predicted" in found
    assert "of which rent in EUR and area in m² are to be predicted" in text(made["houses"])


def test_the_coverage_is_the_measured_one(made: dict[str, Path]) -> None:
    root = made["prices"]
    shown = Inputs(root, 0).shown
    inside = []
    for _, piece in predictions.read(root / f"reports/evaluate/{shown}/predictions.parquet"):
        task = tasks.of(json.loads((root / f"reports/evaluate/{shown}/metrics.json").read_text())["task"])
        guess, half = predictions.answers(piece)[:, 0], predictions.answers(piece)[:, 1]
        inside.append(np.abs(guess - task.numbers(piece["y"])[:, 0]) <= half)
    share_inside = f"{np.concatenate(inside).mean():.1%}".replace("%", " %")
    assert f"hold {share_inside} of the true values" in text(root)
    assert f"holds {share_inside} of the true values; it should hold 90 %" in text(root)


def test_many_answers_are_thinned_out(made: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predicted, "POINTS", 60)
    monkeypatch.setattr(predicted, "LEAST", 30)
    found = predicted.context(Inputs(made["houses"], 0))
    assert found is not None
    drawn = [figure for figure in found.pictures if isinstance(figure.body, str)]
    whole_set = 2 * (SAMPLES - SAMPLES // 2 - SAMPLES * 15 // 100)
    for figure in drawn:
        assert str(figure.body).count("h0") + str(figure.body).count("l6 6") == 30
        assert f"30 of {whole_set} answers are drawn." in figure.caption
    assert [figure.title for figure in drawn] == ["rent", "area"]


def test_quarters_stand_in_their_order(made: dict[str, Path]) -> None:
    names = ["lowest quarter", "second quarter", "third quarter", "highest quarter"]
    rows = [row[0] for row in page(made["prices"]).cells if row and row[0] in names]
    assert rows == names * 2  # of contributions and of errors


def test_tags_are_counted_and_told(made: dict[str, Path]) -> None:
    rows, found = page(made["tagged"]).cells, text(made["tagged"])
    counted = [row for row in rows if len(row) == 3 and row[0] in TAGS]
    assert [row[0] for row in counted] == list(TAGS)
    y = pq.read_table(made["tagged"] / "data/aligned/samples.parquet")["y"].to_pylist()
    assert counted[0][1] == str(sum(0 in one for one in y))
    assert "tags, " in found and "The tag that is found best is" in found
    assert "True tags" in found and re.search(r"lacks [a-z]+", found) and "all right" in found
    assert "says how sure it is of a tag" in found


def test_what_is_furthest_off_is_shown(made: dict[str, Path]) -> None:
    found = text(made["prices"])
    assert "No strategy comes closer to the truth than" in found and "All are far off" in found
    assert re.search(r"True value [\d.]+ EUR", found)
    assert "True value rent" in text(made["houses"]) and "standard deviations" in text(made["houses"])


def test_metrics_in_words() -> None:
    euros, r2 = bare("mae", "mean absolute error", "EUR", False, decimals=1, head="MAE"), bare("r2", "R²")
    space = "\N{NO-BREAK SPACE}"
    assert [said(one, 0.5) for one in (share("a", "accuracy"), nats("n", "NLL"), euros, r2)] == [
        f"50.0{space}%", f"0.500{space}nats", f"0.5{space}EUR", "0.500"]
    assert said(euros, None) == cell(euros, float("nan")) == "–"
    assert [heading(euros), axis(r2, "test"), axis(euros)] == ["MAE, EUR", "test R²", "mean absolute error, EUR"]
    assert [unit(share("a", "accuracy")), unit(euros), unit(r2)] == ["points", "EUR", "R²"]
    assert span(euros, 1.0, 2.0) == f"1.0 to 2.0{space}EUR" and cell(euros, 1.0) == "1.0"
    assert whole("rent 840 EUR, area 80 m²") == f"rent{space}840{space}EUR, area{space}80{space}m²"


def test_every_metric_is_explained_once() -> None:
    for name in ("accuracy macro_f1 nll brier ece", "macro_f1 micro_f1 mean_ap nll ece", "r2 mae rmse nll"):
        told = glossary.terms(name.split())
        assert len({term for term, _ in told}) == len(told) and told
    assert [term for term, _ in glossary.terms(["nll"])] == ["NLL"]


def test_the_band_is_cut_at_the_frame() -> None:
    drawn = str(agreement([1.0, 2.0, 3.0], [1.1, 2.0, 9.0], [True, True, False], 50.0, Look(0, 0, 0), "kg", "says"))
    assert drawn.count("h0") == 2 and drawn.count("l6 6") == 1
    assert "predicted, kg" in drawn and "true, kg" in drawn
    places = [float(one) for one in re.findall(r"-?\d+\.\d", drawn.split('class="interval-band" d="')[1].split('"')[0])]
    assert min(places) >= 0 and max(places) <= 440
    assert "interval-band" not in str(agreement([1.0, 2.0], [1.0, 2.0], [True, True], 0, Look(0, 0, 0), "", "says"))


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_sticks_out_or_fails(made: dict[str, Path], kind: str, size: str) -> None:
    with started() as browser:
        opened = Opened(browser, made[kind] / "reports/report.html", size)
        opened.run("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
        assert opened.run("document.documentElement.scrollWidth") == SIZES[size][0] and opened.wrong == []
