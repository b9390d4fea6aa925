import time

import numpy as np
import pytest
import torch

from tests.tiny_media import ROWS, STREAMS, row, write_aligned, write_features
from trivium.data.arrow_file import Column, Writer
from trivium.data.store import Batch, Store
from trivium.modalities.spec import Spec
from trivium.settings.errors import UserError


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    write_aligned(folder)
    write_features(folder)
    return Store("scratch", folder)


def test_what_a_store_says_of_itself(store):
    assert store.specs["image"] == Spec("image", "image", (3, 8, 8))
    assert store.specs["audio"] == Spec("audio", "waveform", (1, 128))
    assert store.specs["text"].kind == "tokens" and store.specs["text"].shape == (6,)
    assert store.streams == ("text", "image", "audio") == tuple(store.specs)
    assert store.task.plain()["classes"] == ["a", "b"] and store.samples[:2] == ["s000", "s001"] and len(store) == ROWS
    assert [spec.bytes for spec in store.specs.values()] == [6 * 8, 3 * 8 * 8 * 4, 128 * 4]
    batch = store.batch(np.arange(5), 0)
    assert [x.nbytes for x in batch.inputs.values()] == [5 * spec.bytes for spec in store.specs.values()]


def test_rows_of_a_split_differ_per_seed(store):
    assert store.rows(0, "train").tolist() == list(range(12)) and store.rows(1, "train").tolist() == list(range(12, 24))
    assert store.rows(0, "test").tolist() == list(range(18, 24)) and store.rows(0, "val").dtype == np.int64
    assert store.rows(0, "unlabelled").tolist() == store.rows(0, "domain").tolist() == []
    with pytest.raises(ValueError, match="no split 'dev'"):
        store.rows(0, "dev")


@pytest.mark.parametrize("seed", [0, 1])
def test_a_batch_is_normalised_with_the_train_rows_of_its_seed(store, seed):
    train = store.rows(seed, "train")
    images = np.stack([row(i)["image"] for i in range(ROWS)]).transpose(0, 3, 1, 2).astype(float)
    mean, deviation = images[train].mean((0, 2, 3)), images[train].std((0, 2, 3))
    rows = np.array([17, 3, 3, 20])
    batch = store.batch(rows, seed)
    expected = (images[rows] - mean[:, None, None]) / deviation[:, None, None]
    assert batch.inputs["image"].dtype == torch.float32 and batch.inputs["text"].dtype == torch.int64
    assert np.abs(batch.inputs["image"].numpy() - expected).max() < 1e-5
    assert batch.y.tolist() == [1, 1, 1, 0] and batch.y.dtype == torch.int64
    assert batch.inputs["text"].shape == (4, 6) and torch.equal(batch.inputs["text"][1], batch.inputs["text"][2])


def test_tokens_are_those_of_the_seed_s_tokenizer(tmp_path):
    write_aligned(tmp_path, [row(i) | {"text": "early" if i < 12 else "LATE"} for i in range(ROWS)])
    write_features(tmp_path, {"words": {"text": "words"}})
    store = Store("words", tmp_path)
    known = {(seed, i): store.batch(np.array([i]), seed).inputs["text"][0].tolist() for seed in (0, 1) for i in (0, 20)}
    for seed, own, other in ((0, 0, 20), (1, 20, 0)):
        assert sum(x > 2 for x in known[seed, own]) == 1 and 1 not in known[seed, own]
        assert 1 in known[seed, other]
        assert store.tokenizer("text", seed).name == f"seed_{seed}.json"


def test_what_is_missing_is_zero_and_not_present(store):
    batch = store.batch(np.arange(8), 0)
    assert batch.present.dtype == torch.bool
    assert batch.present.tolist() == [[True, True, i % 4 != 3] for i in range(8)]
    sounds = batch.inputs["audio"]
    assert not sounds[[3, 7]].any() and sounds[[0, 1, 2, 4, 5, 6]].abs().sum((1, 2)).min() > 1
    there = sounds[[0, 1, 2, 4, 5, 6]]
    assert there.std().item() == pytest.approx(1, abs=0.1)


def test_batches_can_be_cut_and_moved(store):
    batch = store.batch(np.arange(6), 0)
    assert len(batch) == 6
    for index in (torch.tensor([4, 1]), torch.arange(6) > 3, slice(1, 3)):
        part = batch[index]
        assert isinstance(part, Batch) and torch.equal(part.y, batch.y[index])
        assert torch.equal(part.present, batch.present[index])
        assert all(torch.equal(part.inputs[m], batch.inputs[m][index]) for m in STREAMS)
    assert torch.equal(batch.to("cpu", non_blocking=True).inputs["image"], batch.inputs["image"])
    assert batch.to("meta").inputs["text"].device.type == "meta"


def test_writing_to_a_batch_does_not_change_the_store(store):
    first = store.batch(np.arange(4), 0)
    before = {m: x.clone() for m, x in first.inputs.items()}
    for x in (*first.inputs.values(), first.present, first.y):
        x.zero_()
    again = store.batch(np.arange(4), 0)
    assert all(torch.equal(again.inputs[m], before[m]) for m in STREAMS) and again.present.any()


def test_a_folder_without_features_is_told(tmp_path):
    with pytest.raises(UserError, match=r"reads/scratch\.json .*run `dvc repro preprocess`"):
        Store("scratch", tmp_path)


def test_a_recipe_that_is_new_is_told(store):
    with pytest.raises(UserError, match=r"reads/mine\.json .*run `dvc repro preprocess`"):
        Store("mine", store.folder.parent.parent)


@pytest.mark.parametrize("copied", [True, False])
def test_rows_are_found_across_record_batches(tmp_path, monkeypatch, copied):
    monkeypatch.setattr("trivium.data.arrow_file.BATCH_ROWS", 7)
    monkeypatch.setattr("trivium.data.arrow_file.COPY_BELOW", 1 << 30 if copied else 0)
    x = np.arange(25 * 2 * 3, dtype=np.int32).reshape(25, 2, 3)
    with Writer(tmp_path / "a.arrow", ["left", "right"], 3, "int32") as writer:
        for part in np.split(x, [2, 11, 12]):
            writer.add(part)
    rows = np.array([24, 0, 7, 6, 13, 24])
    for i, name in enumerate(("left", "right")):
        column = Column(tmp_path / "a.arrow", name)
        assert np.array_equal(column.gather(rows), x[rows, i]) and column.row_bytes == 12
        assert len(column._parts) == (1 if copied else 4)


@pytest.mark.slow
def test_gathering_is_fast(tmp_path):
    """64 random rows of 32 x 32 x 3 in far less than a training step takes, also from many record batches."""
    with Writer(tmp_path / "a.arrow", ["x"], 3072, "uint8") as writer:
        for i in range(20):
            writer.add(np.full((2000, 1, 3072), i, np.uint8))
    column = Column(tmp_path / "a.arrow", "x")
    rng = np.random.default_rng(0)
    column.gather(np.arange(40_000))
    seconds = []
    for _ in range(50):
        rows, started = rng.integers(0, 40_000, 64), time.perf_counter()
        column.gather(rows)
        seconds.append(time.perf_counter() - started)
    assert np.median(seconds) < 2e-3
