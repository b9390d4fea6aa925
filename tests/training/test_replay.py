import numpy as np
import torch

from trivium.data.store import Batch
from trivium.training.feed import Feed
from trivium.training.replay import Replay


def feed(first, count):
    """Samples that carry their own number as label."""
    y = torch.arange(first, first + count)
    return Feed(Batch({"x": y.float().unsqueeze(1)}, torch.ones(count, 1, dtype=torch.bool), y), np.arange(count), 0)


def test_a_fixed_share_of_each_batch_is_old():
    mixed = Replay(feed(100, 8), feed(0, 3), 0.2)
    batches = list(mixed.training(10, 0, 4))
    assert [sorted((one.y < 100).tolist()) for one in batches] == 4 * [8 * [False] + 2 * [True]]
    assert sorted(batches[0].y[:8].tolist()) == list(range(100, 108))  # an epoch of the new ones
    assert len(mixed) == 10


def test_a_small_share_is_a_sample_at_least_and_never_the_whole_batch():
    for share, old in ((0.01, 1), (0.99, 3)):
        (batch,) = Replay(feed(100, 8), feed(0, 3), share).training(4, 0, 1)
        assert int((batch.y < 100).sum()) == old
