"""Which domains can be held out, and why the others cannot."""

from pathlib import Path

import pyarrow as pa
import pytest

from tests.helpers import ROOT
from trivium.data import tables
from trivium.experiments.domains import sort
from trivium.params import load
from trivium.settings.errors import UserError
from trivium.tasks.classification import Classification


def write(folder: Path, sizes: dict[str, str]) -> None:
    """data/aligned in `folder`. sizes: domain -> the label of each row of it, a letter."""
    domain = [name for name, own in sizes.items() for _ in own]
    labels = [label for own in sizes.values() for label in own]
    classes = sorted(set(labels))
    n = len(labels)
    blank = pa.nulls(n, pa.string())
    made = pa.table({"sample": [f"s{k:04}" for k in range(n)], "label": labels, "domain": domain, "group": blank,
                     "duplicate_group": blank, "split": blank,
                     "y": pa.array([classes.index(one) for one in labels], pa.int32())})
    tables.write(made, folder / "data/aligned/samples.parquet")
    tables.write_json({"task": Classification(classes).plain(), "root": "", "streams": {"text": "text"}},
                      folder / "data/aligned/meta.json")


def test_largest_first_and_the_reasons_of_the_others(tmp_path: Path) -> None:
    write(tmp_path, {"small": "ab" * 5, "north": "ab" * 30, "one": "a" * 40, "south": "ab" * 50, "west": "ab" * 20})
    params = load(ROOT / "params.yaml")
    chosen, left = sort(tmp_path, params, 12)
    assert chosen == ["south", "north", "west"]
    assert [(one.name, one.n, one.reason) for one in left] == [
        ("one", 40, "It has no row of `b`."), ("small", 10, "It has 10 rows with a label, and 20 are needed.")]
    chosen, left = sort(tmp_path, params, 2)
    assert chosen == ["south", "north"]
    asked = "`--most` says how many are held out: {} here, the largest first."
    assert ("west", 40, asked.format(2)) in [(one.name, one.n, one.reason) for one in left]
    assert ("north and 1 more", 100, asked.format(1)) in [(one.name, one.n, one.reason)
                                                          for one in sort(tmp_path, params, 1)[1]]


def test_what_the_others_cannot_learn_is_not_held_out(tmp_path: Path) -> None:
    write(tmp_path, {"all": "abc" * 20, "two": "ab" * 30})
    with pytest.raises(UserError, match="(?s)No domain of this data can be held out.*all: No training row is left for "
                                        "`c`.*two: It has no row of `c`"):
        sort(tmp_path, load(ROOT / "params.yaml"), 12)


def test_one_domain_is_none_to_hold_out(tmp_path: Path) -> None:
    write(tmp_path, {"only": "ab" * 30})
    with pytest.raises(UserError, match="The data has 1 domain, and it takes two"):
        sort(tmp_path, load(ROOT / "params.yaml"), 12)
