"""Targets as people write them: what is understood, and one sentence for what is not."""

import json
import math

import pyarrow as pa
import pytest

from trivium.settings.errors import UserError
from trivium.tasks import cells as written
from trivium.tasks import chosen
from trivium.tasks.base import Task


def read(task: str | dict, cells: list[str | None], columns: tuple[str, ...] = ("price",)) -> tuple[list, dict]:
    kind, settings = chosen(task)
    values, reasons = kind.read(pa.chunked_array([pa.array(cells, pa.string())]), columns, settings)
    assert [row for row, value in enumerate(values.to_pylist()) if value is None] == sorted(reasons)
    return values.to_pylist(), reasons


def over(task: str | dict, cells: list[str | None], columns: tuple[str, ...] = ("price",), fewest: int = 1,
         ) -> tuple[Task, list[str]]:
    kind, settings = chosen(task)
    values, _ = kind.read(pa.chunked_array([pa.array(cells, pa.string())]), columns, settings)
    return kind.over(values, columns, settings, fewest)


def test_numbers_with_blanks_signs_and_exponents() -> None:
    values, _ = read("regression", ["3", " 3.5 ", "+.5", "-5.", "1e3", "-1.5E-2", "[7]"])
    assert values == [[3.0], [3.5], [0.5], [-5.0], [1000.0], [-0.015], [7.0]]


@pytest.mark.parametrize("cell, says", [
    (None, "it has no label"),
    (" ", "it has no label"),
    ("cheap", "its target `price` is `cheap`, which is not a number"),
    ("1.234,5", "its target `price` is `1.234,5`, which is not a number; numbers are written with a decimal point and "
                "without thousands separators, such as 1234.5"),
    ("NaN", "its target `price` is NaN, which is no finite number"),
    ("-inf", "its target `price` is -inf, which is no finite number"),
    ("1e300", "its target `price` is `1e300`, which is larger than 32 bits hold"),
    ("x" * 99, f"its target `price` is `{'x' * 39}…`, which is not a number"),
    ("1_000", "its target `price` is `1_000`, which is not a number"),
])
def test_what_is_not_a_number_is_said_and_the_others_stay(cell: str | None, says: str) -> None:
    values, reasons = read("regression", ["1", cell, "2"])
    assert values == [[1.0], None, [2.0]] and reasons == {1: says}


def test_several_numbers_are_columns_or_lists() -> None:
    columns = ("price", "area")
    cells = [json.dumps({"area": "80", "price": "1.5"}), json.dumps({"price": "2", "area": None}), None, "3"]
    values, reasons = read("regression", cells, columns)
    assert values == [[1.5, 80.0], None, None, None]
    assert reasons == {1: "its target `area` is empty", 2: "it has no label", 3: "its target is `3`, not 2 numbers"}
    values, reasons = read("regression", ["[1, 2]", "[3]", "[4, null]"])
    assert values == [[1.0, 2.0], None, None]
    assert reasons == {1: "its target is `[3]`, not 2 numbers", 2: "its target `price 2` is empty"}
    task, _ = over("regression", ["[1, 2]", "[3, 5]"])
    assert task.plain()["targets"] == [["price 1", ""], ["price 2", ""]]


@pytest.mark.parametrize("cells, says", [
    ([None, "cheap"], "the target `price` has no number in any row: there is nothing to predict"),
    (["3", "3.0", None], "the target `price` has one value, 3, in all rows: there is nothing to predict"),
])
def test_a_target_without_anything_to_predict(cells: list[str | None], says: str) -> None:
    with pytest.raises(UserError, match=says):
        over("regression", cells)


def test_units_are_those_of_targets() -> None:
    task, warnings = over({"name": "regression", "units": {"price": "EUR"}}, ["1", "2"])
    assert task.words([2]) == "2 EUR" and not warnings
    with pytest.raises(UserError, match="no target `prise`; did you mean `price`"):
        over({"name": "regression", "units": {"prise": "EUR"}}, ["1", "2"])


def test_numbers_that_32_bits_cannot_tell_apart_are_warned_of() -> None:
    _, (warning,) = over("regression", ["1700000000", "1700000001"])
    assert "32 bits cannot tell them apart" in warning


def test_tags_of_a_cell_a_list_and_columns() -> None:
    values, reasons = read("multilabel", [
        "red; round", "round;red;red;", '["a;b", 1, 1.0, "1", null]', "['x', 'y']", "[]", '{"red": "1", "tall": null}',
        '{"red": "0.0", "tall": "No"}', None, " ; ", '{"red": "maybe"}', '[["a"]]', "e\u0301t\u00e9;\u00e9t\u00e9"])
    assert values == [["red", "round"], ["red", "round"], ["1", "a;b"], ["x", "y"], [], ["red"], [], None, None, None,
                      None, ["été"]]
    assert reasons == {7: "it has no label", 8: "it has no label", 10: 'its tags are `[["a"]]`, not a flat list',
                       9: "the column `red` holds `maybe`, which is neither yes nor no"}
    assert read({"name": "multilabel", "separator": "|"}, ["a;b|c"])[0] == [["a;b", "c"]]


def test_tags_that_few_rows_or_all_rows_have_are_left_out_and_named() -> None:
    task, warnings = over("multilabel", ["all;a;b", "all;a;c", "all;a;c", "all"], fewest=2)
    assert task.categories == ("a", "c")
    assert warnings == [
        "1 of 4 tags is left out of the target, since fewer than 2 rows have it (validate.min_class_count in "
        "params.yaml): b (1)", "every row has this tag, left out of the target: all"]
    _, (warning,) = over("multilabel", ["a", "b", *(f"rare{k:02}" for k in range(12)), "a", "b"], fewest=2)
    assert warning.endswith("rare08 (1), rare09 (1) and 2 more") and warning.startswith("12 of 14 tags are left out")


@pytest.mark.parametrize("cells, says", [
    (["[]", None], "no row has a tag in `price`: there is nothing to predict"),
    (["a", "b"], "no tag is in 2 rows or more"),
    (["a;b", "a;b"], "no tag is in 2 rows or more and missing in others"),
])
def test_tags_without_anything_to_predict(cells: list[str | None], says: str) -> None:
    with pytest.raises(UserError, match=says):
        over("multilabel", cells, fewest=2)


def test_labels_in_an_order() -> None:
    task = {"name": "ordinal", "order": ["low", "mid", "high"]}
    values, reasons = read(task, ["mid", " low ", "hihg", None, "  "])
    assert values == ["mid", "low", None, None, None]
    assert reasons == {2: "its label `hihg` is not in `task.order` of params.yaml; did you mean `high`?",
                       3: "it has no label", 4: "it has no label"}
    found, warnings = over(task, ["mid", "low"])
    assert found.categories == ("low", "mid", "high")
    assert warnings == ["`task.order` in params.yaml names high, which no row has"]
    with pytest.raises(UserError, match="rows have one label, `low`, of those in `task.order`"):
        over(task, ["low", "low"])
    assert read({"name": "ordinal", "order": [1, "2", 3.0]}, ["1.0", "2", "3"])[0] == ["1", "2", "3"]


@pytest.mark.parametrize("order, says", [
    (None, "`task.order`: it needs two labels or more: write `task: {name: ordinal, order: "),
    (["low"], "needs two labels"),
    ("low", "needs two labels"),
    ([True, False], "write yes and no between quotes"),
    ([1, "1.0"], "`1` is there twice"),
])
def test_an_order_that_is_none(order: object, says: str) -> None:
    with pytest.raises(UserError) as error:
        chosen({"name": "ordinal"} if order is None else {"name": "ordinal", "order": order})
    assert says in str(error.value)


def test_labels_are_compared_as_people_would() -> None:
    assert [written.label(one) for one in (1, 1.0, "1.00", " 1 ", 1.5, "007", True, "-2.0")] == [
        "1", "1", "1", "1", "1.5", "007", "true", "-2"]
    assert math.isnan(written.numbers(pa.array(["x"]), ["a"])[0][0, 0])
