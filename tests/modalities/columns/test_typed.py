import numpy as np
import pyarrow as pa
import pytest

from trivium.modalities.columns.typed import Column, guess


def column(*cells):
    return Column(pa.array(cells, pa.string()))


@pytest.mark.parametrize(("cells", "kind"), [
    (["1", "2.5", "-3e2", "n/a"], "number"),
    (["1,234.5", "12", "7"], "number"),
    (["3", "1", "2"], "number"),
    (["0", "1", "1"], "boolean"),
    (["Yes", "no", "YES"], "boolean"),
    (["yes", "maybe", "no"], "category"),
    (["0171", "0172", "0030"], "category"),
    (["1999-12-31", "2000-01-01T12:00:00Z", "2000/2/3"], "date"),
    (["31.12.1999", "1.1.2000"], "date"),
    (["31/12/1999", "01/02/2000"], "date"),
    (["1999-13-01", "2000-01-01"], "category"),
    (["flat", "house", None], "category"),
    ([None, "", "na"], "category"),
    ([*["1", "2"] * 10, "many"], "number"),  # 95 %
    ([*["1", "2"] * 9, "many"], "category"),
])
def test_what_a_column_is_taken_for(cells, kind):
    one = column(*cells)
    assert guess(one, one.counts(np.ones(len(cells), bool))) == kind


def test_only_the_rows_that_may_be_seen_count():
    one = column("1", "2", "flat", "house")
    assert guess(one, one.counts(np.array([True, True, False, False]))) == "number"
    assert guess(one, one.counts(np.array([False, False, True, True]))) == "category"


def test_numbers_are_read():
    found = column("1", "+2.5", ".5", "1e3", "1,234.5", "12,5", "1.2.3", "inf", "x").numbers
    np.testing.assert_array_equal(found, [1, 2.5, 0.5, 1000, 1234.5, 12.5, np.nan, np.nan, np.nan])


def test_dates_are_days_since_1970():
    cells = ["1970-01-02", "1969-12-31", "1970-01-01 06:00", "2.1.1970", "31.2.1970", "01/03/1970"]
    np.testing.assert_array_equal(column(*cells).days, [1, -1, 0.25, 1, np.nan, 2])  # the month first
    np.testing.assert_array_equal(column("13/01/1970", "02/01/1970").days, [12, 1])  # the day first


def test_names_of_categories_are_alike_where_they_look_so():
    assert column("1.0", "1", "cafe\u0301", "café", "01.0").names.to_pylist() == ["1", "1", "café", "café", "01.0"]
