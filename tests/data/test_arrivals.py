import numpy as np

from trivium.data.arrivals import linked
from trivium.data.splits import DOMAIN, FREE, TEST, TRAIN, UNLABELLED, UNUSED, VAL


def test_a_further_row_is_where_the_old_rows_of_its_group_are():
    old = np.array([0, 1, 2, 3, 4, 5, 5])
    sides = np.array([TRAIN, VAL, TEST, UNLABELLED, DOMAIN, TRAIN, TEST])
    new = np.array([0, 1, 2, 3, 4, 5, 6])
    assert linked(sides, old, new).tolist() == [TRAIN, VAL, TEST, TRAIN, UNUSED, UNUSED, FREE]
