"""Who is chosen, and what noise they meet, is up to their names."""

import numpy as np
import torch

from trivium.evaluation.sampling import draw, generator, some

NAMES = [f"s{k:03}" for k in range(300)]
ROWS = np.arange(100, 200)


def test_some_are_chosen_by_seed_and_name() -> None:
    few = some(NAMES, ROWS, 10, seed=3)
    assert few.tolist() == [132, 151, 185, 126, 163, 124, 181, 199, 117, 138]
    assert some(NAMES, ROWS, 10, seed=4).tolist() != few.tolist()
    assert sorted(some(NAMES, ROWS, 500, seed=3)) == ROWS.tolist()


def test_fewer_are_the_first_of_more() -> None:
    assert some(NAMES, ROWS, 50, seed=0)[:10].tolist() == some(NAMES, ROWS, 10, seed=0).tolist()


def test_other_rows_change_little() -> None:
    """Twenty more rows push out of thirty those whose hashes they undercut, and no others; places do not matter."""
    before, after = some(NAMES, ROWS, 30, 0), some(NAMES, np.arange(100, 220), 30, 0)
    assert [row for row in after if row < 200] == before[: sum(after < 200)].tolist()
    moved = some([*reversed(NAMES)], np.arange(100, 200), 30, 0)
    assert [NAMES[299 - row] for row in moved] == [NAMES[row] for row in before]


def test_noise_belongs_to_a_sample_and_a_stream() -> None:
    def one(sample: str, stream: str) -> list[float]:
        return torch.randn(3, generator=generator(sample, stream)).tolist()

    assert one("a", "image") == one("a", "image")
    assert len({tuple(one(*key)) for key in (("a", "image"), ("a", "audio"), ("b", "image"), ("ai", "mage"))}) == 4
    assert draw("a", "text").random() == draw("a", "text").random() != draw("b", "text").random()
