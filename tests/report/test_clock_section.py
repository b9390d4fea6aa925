"""What the report says and draws of a common clock."""

from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from trivium.data import tables
from trivium.data.cut import Cut
from trivium.data.meta import Meta
from trivium.data.timeline import Counts, Line, Offset, Recording, Timeline
from trivium.report.sections import clock, data

OFFSET = Offset(stream="far", other="near", seconds=0.7, low=0.69, high=0.71, peak=0.9, ratio=4.0, stretches=6, agree=6,
                drift=(1e-3, 9e-4, 1.1e-3), sure=True)


@pytest.fixture
def inputs(tmp_path: Path) -> SimpleNamespace:
    found = Timeline(dates=False, ticks=False, samples=2, alone=1,
                     streams={"far": Counts(rows=3, matched=2, offset=0.7)}, recordings=[Recording(key="<r1>", lines=[
                         Line(name="samples", pieces=[(0, 1, True), (4, 5, False)]),
                         Line(name="far", pieces=[(0, 10, True)])])],
                     offsets=[OFFSET, OFFSET.model_copy(update={"sure": False, "agree": 1})])
    found.write(tmp_path / clock.PATH)
    return SimpleNamespace(meta=None, root=tmp_path, streams=["far"], comparison=None,
                           json=lambda path: tables.read_json(tmp_path / path))


def test_it_says_what_was_matched_and_how_far_clocks_are_apart(inputs):
    context = clock.context(inputs)
    assert context is not None and context.lead.startswith("2 samples met something in time, and 1 met nothing. ")
    assert [cell.content for cell in context.counts.body.rows[0]] == ["far", "3", "2", "+0.700 s"]
    assert context.notes == [
        "Far matches near best when +0.700 s (+0.690 to +0.710) are added to its times: 4 times as good as the next "
        "lag, and 6 of 6 stretches agree. It changes by +60.0 ms a minute (+54.0 to +66.0).",
        "How far far is off near cannot be told: the best lag, +0.700 s, is 4 times as good as the next, and 1 of 6 "
        "stretches agree."]


def test_samples_that_reach_into_the_next_stretch_are_no_samples_that_met_nothing(inputs):
    old = Timeline.read(inputs.root / clock.PATH)  # has no such field
    assert old.cut is None and "cut" not in old.plain()
    old.model_copy(update={"samples": 295, "alone": 0, "cut": Cut(stretches=5, across=4)}).write(
        inputs.root / clock.PATH)
    context = clock.context(inputs)
    assert context.lead == (
        "295 samples met something in time. 4 more did, but reach into the next stretch of their recording and are "
        "left out. What nothing took up, and what is left out, stands in data/aligned/unaligned.parquet, with its "
        "time.")
    assert context.figures[0].caption == (
        "Filled: matched. Outlined with dashes: nothing took it up, or it is a sample that reaches into the next "
        "stretch.")


def test_stretches_and_what_figures_on_them_are_worth_stand_here_and_with_the_splits(inputs):
    splits = {"seeds": [{"counts": {"train": 7, "val": 2, "test": 2}}]}
    tables.write_json(splits, inputs.root / "data/splits/splits.json")
    assert data._splits(inputs).caption == "Mean over seeds."
    Timeline.read(inputs.root / clock.PATH).model_copy(update={"cut": Cut(stretches=5, across=1)}).write(
        inputs.root / clock.PATH)
    said = ("Fewer than 3 recordings cannot be split, so they are cut into 5 stretches, each on one side (1 sample, "
            "which would reach into the next, left out). Neighbours may be alike, so results are better than on a new "
            "recording. `split.method: time` tests on the end.")
    assert [one[:9] for one in clock.context(inputs).notes] == ["Fewer tha", "Far match", "How far f"]
    assert clock.context(inputs).notes[0] == said
    assert data._splits(inputs).caption == f"Mean over seeds. {said}"
    spans = {side: "1" for side in ("train", "val", "test")}
    tables.write_json(splits | {"time": {"dates": False, "first": spans, "last": spans, "later": 9.0}},
                      inputs.root / "data/splits/splits.json")
    assert "stretches" not in data._splits(inputs).caption  # by time there is one border, and the advice is followed


def test_a_log_that_was_cut_when_it_was_imported_is_told_of_as_well(tmp_path):
    meta = Meta(root="", cut=Cut(stretches=34, across=0))
    assert data._cut(SimpleNamespace(root=tmp_path, meta=meta))[0].startswith(
        "Fewer than 3 recordings cannot be split, so they are cut into 34 stretches, each on one side. Neighbours")


def test_it_draws_a_line_of_time_for_each_stream(inputs):
    (figure,) = clock.context(inputs).figures
    picture = ElementTree.fromstring(str(figure.body))
    texts = [one.text for one in picture if one.tag == "text"]
    assert texts[:1] == ["samples"] and "far" in texts and texts[-1] == "10.0 s"
    bars = [one.attrib for one in picture if one.tag == "rect"]
    assert [one["class"] == "unmet" for one in bars] == [False, True, False]
    assert float(bars[2]["width"]) > 9 * float(bars[0]["width"])


def test_there_is_no_section_without_a_clock(tmp_path):
    assert clock.context(SimpleNamespace(root=tmp_path)) is None
