import numpy as np
import pyarrow as pa
import pytest
import torch

from trivium.modalities import table
from trivium.modalities.columns import packed
from trivium.modalities.columns.fitted import Scale
from trivium.settings.errors import UserError

CELLS = {
    "size": ["1", "2", "3", "4", None, "5"],
    "kind": ["flat", "flat", "house", "house", "tent", None],
    "built": ["1970-01-01", "1970-02-03", "1970-03-01", "1970-01-05", "1970-01-01", None],
    "sunny": ["yes", "no", "no", "n/a", None, "Yes"],
}
ALL = np.ones((1, 6), bool)


def rows(cells=CELLS):
    return packed.pack({name: pa.chunked_array([pa.array(column, pa.string())]) for name, column in cells.items()})


def fitted(settings=None, seen=ALL, cells=CELLS):
    columns = table.columns(rows(cells))
    made, spec = table.fit(columns, seen, settings or table.Settings())
    return columns, made, spec


def test_what_says_nothing_or_cannot_be_read_counts_as_missing():
    cells = {"area": [*map(str, range(16)), "n/a", "n/a", None, "many"], "kind": ["a", "b"] * 9 + ["-", "n/a"]}
    seen = np.ones((1, 20), bool)
    columns, (made,), _ = fitted(seen=seen, cells=cells)
    assert table.about(columns, made, seen[0]) == [
        {"column": "area", "type": "category", "values": 17, "missing": 0.15},
        {"column": "kind", "type": "category", "values": 2, "missing": 0.1}]
    cells["area"] = [*map(str, range(100)), *["n/a"] * 20, *[None] * 10, *["many"] * 5]
    seen = np.ones((1, 135), bool)
    columns, (made,), _ = fitted(seen=seen, cells={"area": cells["area"]})
    assert table.about(columns, made, seen[0]) == [
        {"column": "area", "type": "number", "values": 100, "missing": round(35 / 135, 6)}]


def test_a_table_becomes_a_number_and_a_code_per_column():
    columns, (made,), spec = fitted(table.Settings(scaling="standard"))
    assert (spec.kind, spec.shape) == ("columns", (6, 2))
    assert spec.columns == (("size", 2), ("kind", 4), ("built", 2), ("built month", 14), ("built weekday", 9),
                            ("sunny", 4))
    x = made.prepare(columns)(slice(None))
    assert x.dtype == np.float32
    np.testing.assert_allclose(x[:, 0], [[-1.4142135, 1], [-0.70710677, 1], [0, 1], [0.70710677, 1], [0, 0],
                                         [1.4142135, 1]], rtol=1e-6)
    assert x[:, 1, 1].tolist() == [2, 2, 3, 3, 1, 0]  # a tent is there once: other
    assert x[:, 3, 1].tolist() == [2, 3, 4, 2, 2, 0]
    assert x[:, 4, 1].tolist() == [5, 3, 8, 2, 5, 0]  # 1970 began on a Thursday
    assert x[:, 5, 1].tolist() == [3, 2, 2, 0, 0, 3]
    assert made.said(x[1]) == ["size 2", "kind flat", "built 1970-02-03", "built month 2", "built weekday Tuesday",
                               "sunny no"]
    assert made.said(x[5]) == ["size 5", "", "", "", "", "sunny yes"]
    assert table.about(columns, made, ALL[0])[1] == {"column": "kind", "type": "category", "values": 3,
                                                     "missing": 0.166667}


def test_quantiles_make_a_normal_distribution_that_outliers_do_not_leave():
    scale = Scale.of("quantile", np.random.default_rng(0).exponential(5, 10_000))
    scaled = scale.apply(np.random.default_rng(1).exponential(5, 10_000))
    assert abs(scaled.mean()) < 0.03 and abs(scaled.std() - 1) < 0.03
    assert scale.apply(np.array([1e9])) == -scale.apply(np.array([-1e9])) < 3
    assert scale.undo(scale.apply(np.array([5.0]))[0]) == pytest.approx(5, rel=1e-6)
    assert Scale.of("quantile", np.full(9, 7.0)).apply(np.array([7.0])).tolist() == [0]
    assert Scale.of("quantile", np.zeros(0)).apply(np.array([7.0])).tolist() == [0]


def test_what_was_fitted_is_kept_and_reads_new_rows_as_before(tmp_path):
    columns, (made,), spec = fitted()
    made.save(tmp_path / "x.json")
    again = table.load((tmp_path / "x.json").read_text(encoding="utf-8"))
    every = rows().to_pylist()
    np.testing.assert_array_equal(table.encode(every, again, spec), made.prepare(columns)(slice(None)))
    x = table.encode(['{"kind": "castle", "size": 3}', None], again, spec)
    assert x[0].tolist() == [[0, 1], [0, 1], [0, 0], [0, 0], [0, 0], [0, 0]]
    assert not x[1].any()


def test_each_seed_fits_on_its_own_rows_and_all_have_one_shape():
    seen = np.array([[True, True, False, False, False, False], [False, False, True, True, False, False]])
    columns, made, spec = fitted(seen=seen)
    assert [one.columns[1].known for one in made] == [("flat",), ("house",)]
    assert spec.columns[1] == ("kind", 3)
    assert made[0].prepare(columns)(slice(2, 4))[:, 1, 1].tolist() == [1, 1]  # a house is new to the first


def test_where_seeds_disagree_a_column_is_a_category_and_settings_say_it_all():
    cells = {"a": ["1", "2", "x", "y"]}
    seen = np.array([[True, True, False, False], [False, False, True, True]])
    assert [one.columns[0].type for one in fitted(seen=seen, cells=cells)[1]] == ["category"] * 2
    settings = table.Settings(types={"size": "category"})
    assert fitted(settings)[1][0].columns[0].type == "category"
    with pytest.raises(UserError, match="column `sise`, which the stream does not have; did you mean `size`"):
        fitted(table.Settings(types={"sise": "category"}))


def test_probe_counts_cells_and_says_what_is_no_row():
    assert table.probe('{"a":"1","b":null}') == {"cells": 1}
    assert table.probe("nope")["error"].startswith("not a JSON object of cells")
    assert table.said('{"area":"61.2","kind":null,"year":"1999"}') == "area 61.2 · year 1999"


def test_noise_takes_cells_of_other_rows_and_augmentation_takes_some_away():
    _, _, spec = fitted()
    x = torch.ones(1, 6, 2)
    others = torch.full((3, 6, 2), 5.0)
    half = [table.corrupt(x, s, torch.Generator().manual_seed(1), spec, others) for s in (0, 0.5, 1)]
    assert torch.equal(half[0], x) and torch.equal(half[2], others[:1])
    assert set(half[1][0, :, 0].tolist()) == {1.0, 5.0} and torch.equal(half[1][..., 0], half[1][..., 1])
    kept = table.augment(torch.ones(1000, 6, 2), torch.Generator().manual_seed(0), spec)
    assert 0.88 < kept.mean().item() < 0.92 and torch.equal(kept[..., 0], kept[..., 1])
