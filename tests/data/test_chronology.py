"""Splits by time: train before val before test, whatever shares a group."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.test_splits import run
from trivium.data import chronology
from trivium.data.chronology import Time
from trivium.data.settings import Stream
from trivium.settings.errors import UserError

DAYS = [f"2020-{1 + k // 28:02}-{1 + k % 28:02}" for k in range(100)]  # 28 days of each month


def drawn(folder: Path, y: list[str | None], times: list[str | None], **more: Any) -> tuple[Any, dict[int, np.ndarray]]:
    columns = {"time": times} | more.pop("columns", {})
    return run(folder, y, columns=columns, **({"method": "time", "val": 0.2, "test": 0.3} | more))


def test_train_is_before_val_is_before_test_for_every_seed(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(100)
    report, seeds = drawn(tmp_path, list("ab") * 50, [DAYS[k] for k in order])
    for sides in seeds.values():
        assert sides[np.argsort(order)].tolist() == ["train"] * 50 + ["val"] * 20 + ["test"] * 30
    assert report["method"] == "time" and report["warnings"] == []
    assert Time.model_validate(report["time"]) == Time(
        dates=True, first={"train": "2020-01-01", "val": "2020-02-23", "test": "2020-03-15"},
        last={"train": "2020-02-22", "val": "2020-03-14", "test": "2020-04-16"}, later=67.0)


def test_equal_times_stay_together_and_years_are_numbers(tmp_path: Path) -> None:
    years = ["2018"] * 45 + ["2019"] * 30 + ["2020"] * 25
    report, seeds = drawn(tmp_path, list("ab") * 50, years)
    assert seeds[0].tolist() == ["train"] * 45 + ["val"] * 30 + ["test"] * 25
    assert report["time"] == {"dates": False, "first": {"train": "2018", "val": "2019", "test": "2020"},
                              "last": {"train": "2018", "val": "2019", "test": "2020"}, "later": 2.0}
    assert report["warnings"] == ["val holds 30% of the samples instead of 20%: many rows have the same time, or "
                                  "groups reach over several splits."]


@pytest.mark.parametrize("column", ["group", "duplicate_group"])
def test_a_group_is_where_its_latest_row_is(tmp_path: Path, column: str) -> None:
    groups = [f"g{k}" for k in range(100)]
    groups[0] = groups[60] = groups[61]  # two of val, one of train
    groups[1] = groups[2] = groups[99]  # one of test, two of train
    report, seeds = drawn(tmp_path, list("ab") * 50, list(DAYS), columns={column: groups})
    for sides in seeds.values():
        assert sides.tolist() == ["unused"] * 3 + ["train"] * 47 + ["val"] * 20 + ["test"] * 30
    assert report["warnings"] == ["3 rows are unused: a later row of the same group, or with the same content, is in a "
                                  "later split."]


def test_a_world_that_drifts_looks_better_than_it_is_until_the_split_follows_time(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    day, cue = np.arange(2000) % 100, rng.integers(0, 2, 2000)
    label = np.where(rng.random(2000) < day / 99, 1 - cue, cue)  # on the first day the cue tells it, last it lies

    def right(method: str) -> float:
        """Of the rule that train teaches: the label that most rows with a cue have."""
        _, seeds = drawn(tmp_path, ["ab"[k] for k in label], [DAYS[k] for k in day], method=method, val=0.2, test=0.2)
        train, test = seeds[0] == "train", seeds[0] == "test"
        rule = np.array([label[train & (cue == k)].mean() > 0.5 for k in (0, 1)])
        return float((rule[cue[test]] == label[test]).mean())

    assert 0.45 < right("holdout") < 0.6
    assert right("time") < 0.2


def test_rows_without_a_time_are_unused_and_counted(tmp_path: Path) -> None:
    times: list[str | None] = list(DAYS)
    times[0] = times[1] = None
    times[2] = "31.12.2020"
    report, seeds = drawn(tmp_path, list("ab") * 50, times)
    assert seeds[0][:3].tolist() == ["unused"] * 3 and "unused" not in seeds[0][3:]
    assert report["warnings"] == [
        "2 rows are unused: they have no time.",
        "1 row is unused: it has a time that cannot be read, such as `31.12.2020` of the sample `s000002`."]


def test_rows_without_a_label_that_are_later_than_train_teach_nothing(tmp_path: Path) -> None:
    y: list[str | None] = list("ab") * 50
    y[10] = y[60] = y[90] = None
    report, seeds = drawn(tmp_path, y, list(DAYS))
    assert seeds[0][[10, 60, 90]].tolist() == ["unlabelled", "unused", "unused"]
    assert report["warnings"] == ["2 rows are unused: they have no label, and are later than train."]


def test_a_held_out_domain_is_apart_and_the_split_column_is_not_read(tmp_path: Path) -> None:
    domain = ["phone"] * 10 + ["studio"] * 90
    report, seeds = drawn(tmp_path, list("ab") * 50, list(DAYS), columns={"domain": domain, "split": ["test"] * 100},
                          held_out_domain="phone")
    assert seeds[0].tolist() == ["domain"] * 10 + ["train"] * 45 + ["val"] * 18 + ["test"] * 27
    assert report["warnings"] == ["The data's own split column is not used: split.method is `time`."]


@pytest.mark.parametrize(("times", "words"), [
    ([None] * 100, "no sample of this data has a time: name the column that says it .data.manifest.time"),
    (["soon"] * 100, "no time can be read, such as `soon` of the sample `s000000`"),
    (["2019", "2020"] * 50, "have 2 different times, and three are needed")])
def test_what_has_no_order_is_refused(tmp_path: Path, times: list[str | None], words: str) -> None:
    with pytest.raises(UserError, match=words):
        drawn(tmp_path, list("ab") * 50, times)


def test_a_class_that_begins_later_and_groups_that_come_again_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No training row is left for `b` with seed 0. It begins later than train ends"):
        drawn(tmp_path, ["a"] * 90 + ["b"] * 10, list(DAYS))
    with pytest.raises(UserError, match="No row is left for train when the splits follow time"):
        drawn(tmp_path, list("ab") * 50, list(DAYS), columns={"group": [f"g{k % 10}" for k in range(100)]})
    with pytest.raises(UserError, match="leave nothing to train on"):
        drawn(tmp_path, list("ab") * 50, list(DAYS), val=0.5, test=0.5)


def test_a_year_among_days_is_counted_and_named(tmp_path: Path) -> None:
    times = [*DAYS[:50], "2020", "2020-02", *DAYS[52:]]
    report, _ = drawn(tmp_path, list("ab") * 50, times)
    assert report["warnings"][0] == (
        "2 rows say only a year or a month, such as `2020` of the sample `s000050`, where others say a day: they count "
        "as its first day, and may stand before what they are later than.")
    report, _ = drawn(tmp_path / "months", list("ab") * 50, [f"{2000 + k // 12}-{1 + k % 12:02}" for k in range(100)])
    assert report["warnings"] == []


def test_a_time_that_models_read_is_said() -> None:
    facts = Stream(modality="table", columns=("area", "taken"))
    (said,) = chronology.read_by_models("taken", {"text": Stream(modality="text"), "facts": facts})
    assert said.startswith("The column `taken` says when a row is from, and `facts` gives it to the models, too")
    assert chronology.read_by_models("time", {"facts": facts}) == []
