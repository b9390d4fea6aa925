"""The order of the samples: a stream of whole epochs that depends on the seed and on nothing else."""

from pathlib import Path

import numpy as np
import torch
from pytest import MonkeyPatch

from tests.tiny_media import write_aligned, write_features
from trivium.data.store import Batch, Store
from trivium.training import feed
from trivium.training.feed import Feed


def numbers(count: int) -> Batch:
    """Samples that carry their own number as label."""
    y = torch.arange(count)
    return Batch({"x": y.float().unsqueeze(1)}, torch.ones(count, 1, dtype=torch.bool), y)


def order(feed: Feed, batch: int, start: int, stop: int) -> list[int]:
    return [int(k) for one in feed.training(batch, start, stop) for k in one.y]


def test_each_epoch_shows_every_sample_once() -> None:
    shown = order(Feed(numbers(10), np.arange(10), seed=0), batch=4, start=0, stop=5)
    assert len(shown) == 20
    assert sorted(shown[:10]) == list(range(10)) == sorted(shown[10:])
    assert shown[:10] != shown[10:]


def test_a_stream_taken_up_in_the_middle_goes_on_the_same() -> None:
    stream = Feed(numbers(10), np.arange(10), seed=1)
    whole = order(stream, batch=3, start=0, stop=12)
    assert order(stream, batch=3, start=5, stop=12) == whole[15:]


def test_gathering_many_at_a_time_or_few_is_the_same_stream(monkeypatch: MonkeyPatch) -> None:
    stream = Feed(numbers(10), np.arange(10), seed=1)  # 4 bytes a sample
    whole = order(stream, batch=3, start=2, stop=14)
    gathered, take = list[int](), stream.take
    monkeypatch.setattr(stream, "take", lambda index: gathered.append(len(index)) or take(index))
    for limit, sizes in ((0, [3] * 12), (12, [3] * 12), (24, [6] * 6), (60, [15, 15, 6]), (1000, [36])):
        monkeypatch.setattr(feed, "GATHERED", limit)
        assert order(stream, batch=3, start=2, stop=14) == whole
        assert gathered == sizes
        gathered.clear()
    monkeypatch.setattr(feed, "GATHERED", 60)
    assert order(stream, batch=3, start=6, stop=14) == whole[12:]
    assert [len(one) for one in stream.training(25, 0, 3)] == [25, 25, 25]  # a batch of more than two epochs


def test_samples_left_out_do_not_change_the_order_of_the_others() -> None:
    keep = np.array([k % 3 != 0 for k in range(12)])
    everything = order(Feed(numbers(12), np.arange(12), seed=2), 12, 0, 1)
    some = order(Feed(numbers(12), np.arange(12), seed=2, keep=keep), 8, 0, 1)
    assert some == [k for k in everything if keep[k]]


def test_seeds_differ() -> None:
    first, second = (order(Feed(numbers(50), np.arange(50), seed), 50, 0, 1) for seed in (0, 1))
    assert first != second
    assert second != order(Feed(numbers(50), np.arange(50), 0), 50, 1, 2)  # nor is it the other's second epoch


def test_what_does_not_fit_into_memory_is_read_in_the_same_order(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    write_aligned(tmp_path)
    write_features(tmp_path)
    store = Store("scratch", tmp_path)
    rows = store.rows(1, "train")  # the second half
    shown = []
    for limit in (feed.IN_MEMORY, 0):
        monkeypatch.setattr(feed, "IN_MEMORY", limit)
        one = Feed(store, rows, 1, keep=store.has("audio")[rows], only=["audio"], augment=True)
        assert (one.memory is None) == (limit == 0)
        shown.append([batch for batches in (one.training(4, 1, 5), one.once(4)) for batch in batches])
    for kept, read in zip(*shown, strict=True):
        assert torch.equal(kept.y, read.y) and kept.inputs.keys() == read.inputs.keys() == {"audio"}
        assert torch.equal(kept.inputs["audio"], read.inputs["audio"])


def test_once_keeps_the_order() -> None:
    shown = [one.y.tolist() for one in Feed(numbers(5), np.arange(5), seed=0).once(2)]
    assert shown == [[0, 1], [2, 3], [4]]
    keep = np.array([True, False, True, True, False])
    assert [one.y.tolist() for one in Feed(numbers(5), np.arange(5), seed=0, keep=keep).once(2)] == [[0, 2], [3]]
