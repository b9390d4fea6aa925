import numpy as np

from trivium.data.reservoir import reservoir


class Drawn:
    """Says what it is told to say, in place of a generator; remembers what was asked."""

    def __init__(self, *places):
        self.places, self.asked = list(places), []

    def integers(self, count):
        self.asked.append(int(count))
        return self.places.pop(0)


def test_algorithm_r_by_hand():
    """Row 12 takes the place 1; row 13, drawn behind the reservoir, is passed over; row 14 takes the place 0."""
    rng = Drawn(1, 2, 0)
    assert reservoir([10, 11, 12, 13, 14], 2, rng).tolist() == [12, 14]
    assert rng.asked == [3, 4, 5]


def test_fewer_rows_than_there_is_room_for_are_all_kept():
    assert reservoir([7, 3, 5], 4, np.random.default_rng(0)).tolist() == [3, 5, 7]


def test_every_row_is_kept_as_often_as_any_other():
    """5 of 20 rows, 2,000 times: each is expected 500 times; chi-square of 19 degrees of freedom, 0.1 %: 43.8."""
    rng, counts = np.random.default_rng(0), np.zeros(20)
    for _ in range(2000):
        counts[reservoir(range(20), 5, rng)] += 1
    assert counts.sum() == 10_000
    spread = counts * (1 - 5 / 20)  # drawn without replacement: a row's count has this variance
    assert ((counts - 500) ** 2 / spread).sum() < 43.8
