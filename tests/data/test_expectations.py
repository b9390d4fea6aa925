import subprocess
import sys

import numpy as np
import pandas as pd

from tests.helpers import ROOT
from tests.raw_tables import SETTINGS
from trivium.data.expectations import Rule, class_rules, judge, kept_rules, label_rules, stream_rules


def words(frame: dict) -> pd.DataFrame:
    size = len(next(iter(frame.values())))
    defaults = {"key": [f"k{i}" for i in range(size)], "value": ["v"] * size, "labels": [1] * size,
                "error": pd.Series([None] * size, dtype="str"), "start": np.full(size, np.nan),
                "end": np.full(size, np.nan)}
    return pd.DataFrame(defaults | frame)


def failed(outcomes) -> dict[str, list[int]]:
    return {outcome.rule.says: outcome.rows.tolist() for outcome in outcomes if not outcome.success}


def test_rows_of_every_rule():
    frame = words({"key": ["a", None, "b", "b", "c", "d", "e"], "value": ["x", "x", None, "x", "x", "x", "x"],
                   "error": pd.Series([None, None, None, "broken", None, None, None], dtype="str"),
                   "labels": [1, 1, 1, 1, 0, 1, 1], "characters": [3, 3, np.nan, np.nan, 3, 0, 31]})
    assert failed(judge("text", frame, stream_rules("text", ["characters"], False, SETTINGS))) == {
        "every row has a key": [1], "every key has a label": [4], "every row has a value": [2],
        "every text can be read": [3], "no text is empty": [5], "characters in validate.text_length": [5, 6],
        "keys are unique": [2, 3],
    }


def test_outcomes_keep_the_order_of_the_rules():
    rules = stream_rules("audio", ["seconds", "sample_rate"], True, SETTINGS)
    outcomes = judge("audio", words({"seconds": [1.0, 2.0], "sample_rate": [8000.0, 8000.0]}), rules)
    assert [outcome.rule for outcome in outcomes] == rules
    assert all(outcome.success for outcome in outcomes)


def test_a_key_may_come_back_at_another_time():
    frame = words({"key": ["a", "a", "a", "a"], "start": [0.0, 1.0, 1.0, 3.0], "end": [1.0, 2.0, 2.0, 2.5]})
    assert failed(judge("audio", frame, stream_rules("audio", [], True, SETTINGS))) == {
        "every end is after its start": [3], "keys are unique at each time": [1, 2]}


def test_labels():
    frame = pd.DataFrame({"sample": ["s", "s", "t"], "key": ["a", "b", "c"], "label": ["x", None, "y"],
                          "split": ["train", "holdout", None], "start": [np.nan] * 3, "end": [np.nan] * 3,
                          "given": [1, 1, 0], "present": [1, 0, 0], "until": [np.nan] * 3})
    assert failed(judge("labels", frame, label_rules(False))) == {
        "every row has a label": [1], "split is train, val or test": [1], "every sample has a stream": [2],
        "every sample has a usable stream": [1, 2], "samples are unique": [0, 1]}


def test_classes_and_what_is_kept():
    classes = pd.DataFrame({"label": ["a", "b"], "rows": [1, 9], "image": [1, 0]})
    outcomes = judge("classes", classes, class_rules(["image"], SETTINGS))
    assert failed(outcomes) == {"every class has validate.min_class_count rows": [0], "every class has some image": [1]}
    assert [outcome.rule.level for outcome in outcomes] == ["row", "warning"]
    kept = pd.DataFrame({"label": ["a", "a"], "duplicate_group": pd.Series([None, "s"], dtype="str"), "image": [0, 0]})
    outcomes = judge("samples", kept, kept_rules(["image"]))
    assert [(outcome.success, outcome.observed) for outcome in outcomes] == [(False, 1), (False, 0), (False, None)]


def test_a_description_has_no_times_ids_or_numpy():
    rule = Rule("small", "ExpectColumnValuesToBeBetween", {"column": "x", "max_value": 1}, "{x}")
    outcome = judge("one", pd.DataFrame({"x": [0.0, 2.0, 3.0]}), [rule])[0]
    assert outcome.describe(3) == {
        "says": "small", "expectation": "expect_column_values_to_be_between", "columns": ["x"], "level": "row",
        "success": False, "observed": None, "unexpected": 2, "percent": 66.667}


def test_the_frame_judged_before_is_forgotten():
    rules = stream_rules("text", [], False, SETTINGS)
    assert failed(judge("text", words({"key": ["a", "b", "b"]}), rules)) == {"keys are unique": [1, 2]}
    assert failed(judge("text", words({"key": ["a", "a", "b"]}), rules)) == {"keys are unique": [0, 1]}


def test_scipy_stats_is_loaded_by_whoever_uses_it_and_not_before():
    """It is nearly half of the import of Great Expectations, which no rule of ours needs."""
    code = ("import sys, pandas; from trivium.data.expectations import Rule, judge; "
            "rule = Rule('', 'ExpectColumnValuesToNotBeNull', {'column': 'x'}); "
            "assert judge('t', pandas.DataFrame({'x': [1, None]}), [rule])[0].rows.tolist() == [1]; "
            "assert 'scipy.stats._stats_py' not in sys.modules; "
            "from scipy import stats; assert stats.norm.cdf(0.0) == 0.5; "
            "import scipy.stats; assert scipy.stats.ks_2samp([1, 2], [1, 2]).pvalue == 1.0")
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", check=True)
