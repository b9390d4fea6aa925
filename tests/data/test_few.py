import numpy as np

from trivium.data.few import draw, levels

ROWS = np.arange(100, 300)  # of the domain
STRATA = np.arange(300) % 2


def test_so_many_of_each_class_and_one_in_five_chooses() -> None:
    drawn = draw(ROWS, STRATA, np.arange(300), 0)
    train, val = drawn.labelled(10)
    assert (len(train), len(val)) == (16, 4)
    assert np.bincount(STRATA[train]).tolist() == [8, 8] and np.bincount(STRATA[val]).tolist() == [2, 2]
    assert set(train) | set(val) <= set(ROWS) and not set(train) & set(val)
    more = np.concatenate(drawn.labelled(50))
    assert set(train) | set(val) <= set(more) and len(more) == 100
    assert sorted([*more, *drawn.test(50)]) == ROWS.tolist()
    assert not np.array_equal(train, draw(ROWS, STRATA, np.arange(300), 1).labelled(10)[0])


def test_no_group_of_a_label_is_tested_on() -> None:
    groups = np.arange(300) // 4
    drawn = draw(ROWS, STRATA, groups, 3)
    train, val = drawn.labelled(10)
    seen = np.concatenate([train, val])
    assert len(np.unique(groups[seen])) == 20  # each label is of a group of its own
    assert not set(groups[seen]) & set(groups[drawn.test(10)])
    assert len(drawn.test(10)) == 200 - 20 * 4


def test_as_many_labels_as_leave_half_to_test_on() -> None:
    def found(rows: int) -> list[int]:
        return levels([draw(ROWS[:rows], STRATA, np.arange(300), seed) for seed in (0, 1)], (0, 10, 50))

    assert found(200) == [0, 10, 50]
    assert found(60) == [0, 10, 15]
    assert found(32) == [0, 8]
    assert found(12) == [0]  # three of each class: too few to choose weights by
