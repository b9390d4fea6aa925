import numpy as np
import pyarrow as pa

from trivium.modalities import table
from trivium.modalities.columns import packed
from trivium.runtime.unread import unread


def rows(**cells: list[str | None]) -> pa.ChunkedArray:
    return packed.pack({name: pa.chunked_array([pa.array(column, pa.string())]) for name, column in cells.items()})


def test_cells_that_a_model_cannot_read_are_named_and_missing_ones_are_not() -> None:
    train = rows(area=["1", "2", "3"], sold=["2020-01-01", "2020-02-01", None], kind=["flat", "house", "flat"])
    (fitted,), _ = table.fit(table.columns(train), np.ones((1, 3), bool), table.Settings())
    new = rows(area=["lots", "n/a", "1,234.5", None], sold=["soon", "2021-05-06", "2021-13-01", None],
               kind=["igloo", None, "flat", "flat"])
    assert unread("facts", fitted, new.to_pylist()) == [
        ["`area` of facts is not a number and counts as missing: 'lots'",
         "`sold` of facts is not a date and counts as missing: 'soon'"],
        [], ["`sold` of facts is not a date and counts as missing: '2021-13-01'"], []]
