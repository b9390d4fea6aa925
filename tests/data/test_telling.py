import numpy as np

from trivium.data import telling
from trivium.data.arrow_file import Writer

PARTS = (("copied", 4), ("sized", 2), ("noise", 2), ("half", 4))


def stored(folder, count=400):
    draw = np.random.default_rng(0)
    y = draw.integers(2, size=count)
    x = np.zeros((count, 4, 2), np.float32)
    x[:, 0, 1] = 2 + y
    x[:, 1] = np.stack([y * 2 - 1 + draw.uniform(-0.5, 0.5, count), np.ones(count)], 1)
    x[:, 2] = np.stack([draw.normal(size=count), np.ones(count)], 1)
    x[:, 3, 1] = np.where(draw.random(count) < 0.5, 2 + y, 0)
    with Writer(folder / "x.arrow", ["x"], 8, "float32") as writer:
        writer.add(x.reshape(count, 1, 8))
    return y


def test_a_column_that_holds_the_answer_is_named(tmp_path):
    y = stored(tmp_path)
    train, val = np.arange(300), np.arange(300, 400)
    found = telling.columns(tmp_path / "x.arrow", "x", PARTS, train, val, y)
    assert [one["column"] for one in found] == ["copied", "sized"]
    assert found[0]["right"] == 1.0 and 0.3 < found[0]["usual"] < 0.7
    words = telling.said("facts", {"column": "copied", "right": 1.0, "usual": 0.5})
    assert words.startswith("the column `copied` of facts tells the label by itself: 100.0% of validation")
    assert telling.columns(tmp_path / "x.arrow", "x", PARTS, train[:0], val, y) == []


def test_where_nearly_all_have_one_label_no_column_is_suspected(tmp_path):
    stored(tmp_path)
    y = (np.arange(400) % 100 == 0).astype(np.int64)
    assert telling.columns(tmp_path / "x.arrow", "x", PARTS, np.arange(300), np.arange(300, 400), y) == []


def test_a_column_that_tells_a_number_is_named(tmp_path):
    """`sized` is the number up to its scale; `half` and `copied` know two values of it."""
    y = stored(tmp_path)
    sized = np.random.default_rng(0)
    sized.integers(2, size=400)
    number = 3.0 * (y * 2 - 1 + sized.uniform(-0.5, 0.5, 400)) + 7
    found = telling.columns(tmp_path / "x.arrow", "x", PARTS, np.arange(300), np.arange(300, 400), number)
    assert [one["column"] for one in found] == ["sized"] and 0.98 < found[0]["explained"] <= 1
    assert telling.said("facts", {"column": "sized", "explained": 0.991}).startswith(
        "the column `sized` of facts tells the label by itself: it alone explains 99.1% of the variance on validation.")
    assert telling.columns(tmp_path / "x.arrow", "x", PARTS, np.arange(300), np.arange(300, 400), 0 * number) == []
