import numpy as np
import pyarrow as pa
import pytest

from tests.comparison.outs import skip, write_outs
from trivium.comparison.outcomes import Groups, load
from trivium.data.tables import read, write
from trivium.settings.errors import UserError


@pytest.fixture
def folder(tmp_path):
    return write_outs(tmp_path, {"a": 0.9, "b": 0.7}, seeds=2, samples=60, tests=20) / "reports/evaluate"


def test_units_name_the_same_sample_in_every_seed(folder):
    found = load(folder, ["a", "b"])
    assert found.seeds == (0, 1)
    table = read(folder / "a/predictions.parquet").to_pandas()
    for k in (0, 1):
        own = table[table.seed == k].sort_values("sample")
        assert (found.outcomes["a"][k].y == own.y).all() and (found.outcomes["a"][k].prediction == own.prediction).all()
    names = [sorted(table[table.seed == k]["sample"]) for k in (0, 1)]
    shared = set(names[0]) & set(names[1])
    assert shared == {name for name in names[0] if found.units[0][names[0].index(name)] in found.units[1]}
    assert max(own.max() for own in found.units) + 1 == len(set(names[0]) | set(names[1]))


def test_samples_of_one_group_are_one_unit(tmp_path):
    folder = write_outs(tmp_path, {"a": 0.9, "b": 0.7}, seeds=2, samples=60, tests=20, groups=7) / "reports/evaluate"
    found = load(folder, ["a", "b"])
    table = read(folder / "a/predictions.parquet").to_pandas()
    names = [name for k in (0, 1) for name in sorted(table[table.seed == k]["sample"])]
    group, unit = [int(name[1:]) % 7 for name in names], np.concatenate(found.units).tolist()
    assert len(set(group)) == len(set(unit)) == len(set(zip(group, unit, strict=True))) == 7
    assert found.groups == Groups(7, 6.5, True)  # one of the two test sets lacks a group
    few = write_outs(tmp_path / "few", {"a": 0.9}, seeds=2, samples=60, tests=20, groups=2) / "reports/evaluate"
    assert len(set(load(few, ["a"]).units[0])) == 20  # two groups cannot tell how much groups differ
    assert load(few, ["a"]).groups == Groups(2, 2, False)


def test_the_labels_of_train_are_those_of_each_seed(folder):
    found, y = load(folder, ["a"]), read(folder.parents[1] / "data/features/samples.parquet")["y"].to_numpy()
    rest = np.bincount(y) - np.bincount(found.outcomes["a"][1].y)
    assert np.bincount(found.train[1]).tolist() == rest.tolist() and len(found.train[1]) == 40


def test_what_was_not_begun_is_left_out(folder):
    skip(folder.parents[1], "b")
    found = load(folder, ["a", "b"])
    assert list(found.outcomes) == list(found.metrics) == ["a"] and list(found.skipped) == ["b"]
    skip(folder.parents[1], "a")
    with pytest.raises(UserError, match="the budget pays for no strategy: a was not begun: it needs more. Raise"):
        load(folder, ["a", "b"])


def test_strategies_in_another_order_are_refused(folder):
    table = read(folder / "b/predictions.parquet")
    write(table.take([1, 0, *range(2, len(table))]), folder / "b/predictions.parquet")
    with pytest.raises(UserError, match="not about the same seeds and test samples"):
        load(folder, ["a", "b"])


def test_strategies_on_different_samples_are_refused(folder):
    table = read(folder / "b/predictions.parquet")
    write(table.slice(1), folder / "b/predictions.parquet")
    with pytest.raises(UserError, match="not about the same seeds and test samples"):
        load(folder, ["a", "b"])


def test_a_missing_strategy_is_named(folder):
    with pytest.raises(UserError, match="`c` was not evaluated"):
        load(folder, ["a", "c"])


def test_one_seed_is_not_enough(folder):
    for name in ("a", "b"):
        table = read(folder / name / "predictions.parquet")
        write(table.filter(pa.compute.equal(table["seed"], 0)), folder / name / "predictions.parquet")
    with pytest.raises(UserError, match="one seed only"):
        load(folder, ["a", "b"])
