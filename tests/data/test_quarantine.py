import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from trivium.data import quarantine
from trivium.data.expectations import Outcome, Rule
from trivium.settings.errors import UserError


def outcome(rows, reason, column, level="row"):
    rule = Rule(reason, "ExpectColumnValuesToBeUnique", {"column": column}, reason, level)
    return Outcome(rule, "x", not rows, np.array(rows, dtype=np.int64), None)


FRAME = pd.DataFrame({"key": ["a", "a", "b", "a"], "size": [1.5, 2.0, 3.25, 4.0]})


def test_reasons_name_values_and_join_columns():
    found = quarantine.reasons([outcome([2], "{size:g} is large", "size"), outcome([2], "odd key `{key}`", "key"),
                                outcome([2], "never said", "size")], FRAME)
    assert found == {2: "3.25 is large; odd key `b`"}


def test_the_first_of_equal_rows_without_a_fault_stays():
    twice = outcome([0, 1, 3], "twice", "key", level="first")
    assert quarantine.reasons([twice], FRAME) == {1: "twice", 3: "twice"}
    assert quarantine.reasons([twice, outcome([0], "bad", "size")], FRAME) == {0: "bad", 3: "twice"}


def test_warnings_put_nothing_in_quarantine():
    assert quarantine.reasons([outcome([0, 1], "shared", "key", level="warning")], FRAME) == {}


def test_table():
    keys, values = pa.chunked_array([["k0", "k1", None]]), pa.chunked_array([["v0", None, "v2"]])
    made = quarantine.table("image", keys, pa.array(["s0", "s1", None]), values, {2: "no key", 1: "no value"})
    assert made.to_pylist() == [
        {"table": "image", "key": "k1", "sample": "s1", "reason": "no value", "value": None},
        {"table": "image", "key": None, "sample": None, "reason": "no key", "value": "v2"},
    ]
    assert quarantine.table("image", keys, pa.array(["s0", "s1", None]), values, {}).schema == quarantine.SCHEMA


def test_check_names_all_tables_that_are_over():
    def where(name, row):
        return f"file {name}{row}"

    out = {"text": {1: "empty"}, "image": {0: "gone"}}
    quarantine.check({"text": 2, "image": 10}, out, where, 0.5)
    with pytest.raises(UserError) as stopped:
        quarantine.check({"text": 2, "image": 10}, out, where, 0.05)
    assert str(stopped.value).splitlines()[:4] == [
        "1 of 2 rows of text (50.0%) cannot be used:", "  row 2, file text1: empty",
        "1 of 10 rows of image (10.0%) cannot be used:", "  row 1, file image0: gone"]
