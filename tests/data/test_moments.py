from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from trivium.data.moments import read


def seconds(*date: int) -> float:
    return datetime(*date, tzinfo=UTC).timestamp()


def test_iso_dates_with_and_without_time_and_zone() -> None:
    found = read(pa.chunked_array([["2020-02-01", "2020-02-01T12:00:00", "2020-02-01 12:00:00.500", None],
                                   ["2020-02-01T12:00:00+02:00", "2020-02-01T10:00:00Z", "2020-02", "2020/2/1",
                                    "2020/02/01"]]))
    day = seconds(2020, 2, 1)
    assert found.dates
    np.testing.assert_array_equal(found.value, [day, day + 43200, day + 43200.5, np.nan, day + 36000, day + 36000, day,
                                                np.nan, day])
    assert found.wrong.tolist() == [False] * 7 + [True, False]  # 2020/2/1 has no two digits
    assert found.words(day) == "2020-02-01" and found.words(day + 43200) == "2020-02-01T12:00:00"


def test_years_and_other_numbers_are_numbers() -> None:
    found = read(pa.chunked_array([["2019", "2020", "1.5", "", "nan", "soon", None]]))
    assert not found.dates
    np.testing.assert_array_equal(found.value, [2019, 2020, 1.5, np.nan, np.nan, np.nan, np.nan])
    assert found.wrong.tolist() == [False, False, False, False, True, True, False]
    assert found.words(2019.0) == "2019" and found.words(1.5) == "1.5"


def test_beside_dates_four_digits_are_a_year_and_other_numbers_are_none() -> None:
    found = read(pa.chunked_array([["2019", "2020-06-01", "17"]]))
    assert found.dates and found.wrong.tolist() == [False, False, True]
    assert found.value[:2].tolist() == [seconds(2019, 1, 1), seconds(2020, 6, 1)]


@pytest.mark.parametrize(("given", "dates"), [(["20200131", "20200201"], True), (["20200131", "20200231"], False),
                                              (["20200131", "7"], False), (["1580428800"], True), ([None], False)])
def test_eight_digits_are_dates_where_all_are(given: list[str | None], dates: bool) -> None:
    assert read(pa.chunked_array([pa.array(given, pa.string())])).dates == dates


@pytest.mark.parametrize(("many", "unit"), [(1, "seconds"), (10**3, "milliseconds"), (10**6, "microseconds"),
                                            (10**9, "nanoseconds")])
def test_numbers_that_count_from_1970_are_dates(many: int, unit: str) -> None:
    found = read(pa.chunked_array([[str(1580428800 * many), None, str(1580515200 * many)]]))
    assert (found.dates, found.unit) == (True, unit)
    np.testing.assert_array_equal(found.value, [1580428800.0, np.nan, 1580515200.0])
    assert found.words(found.value[0]) == "2020-01-31"
    assert read(pa.chunked_array([["7", str(1580428800 * many)]])).dates is False


def test_dates_that_could_be_read_in_two_ways_are_not_read() -> None:
    found = read(pa.chunked_array([["03/04/2020", "31.12.2020", "12:30"]]))
    assert np.isnan(found.value).all() and found.wrong.all()
