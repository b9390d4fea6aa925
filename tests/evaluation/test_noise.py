"""Inputs that get worse: the same sample meets the same noise."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.fake_outs import WORDS, fake_data
from trivium.data.store import Store
from trivium.evaluation.noise import Noise

ALL = slice(None)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root: Path = tmp_path_factory.mktemp("noise")
    fake_data(root, samples=96)
    return Store("supervised", root)


def rows(store: Store, stream: str, count: int) -> np.ndarray:
    test = store.rows(0, "test")
    return test[store.has(stream)[test]][:count]


@pytest.mark.parametrize("stream", ["image", "audio"])
def test_noise_on_a_sample_does_not_depend_on_others_and_grows(store: Store, stream: str) -> None:
    chosen = rows(store, stream, 12)
    x = store.batch(chosen, 0).inputs[stream]
    noise = Noise(store, 0, stream, chosen)
    assert torch.equal(noise(ALL, 0.0), x)
    alone = torch.cat([Noise(store, 0, stream, chosen[[k]])(ALL, 0.4) for k in range(12)])
    assert torch.equal(noise(ALL, 0.4), alone) and torch.equal(noise(slice(3, 7), 0.4), alone[3:7])
    pure = noise(ALL, 1.0)
    assert (pure[0] - pure[1]).abs().mean() > 0.5
    assert pure.mean().abs() < 0.1 and pure.std().item() == pytest.approx(1, abs=0.1)
    assert torch.allclose(noise(ALL, 0.4), 0.6**0.5 * x + 0.4**0.5 * pure, atol=1e-6)


def test_words_are_replaced_by_words_of_train_before_they_are_cut(store: Store) -> None:
    chosen = rows(store, "text", 12)
    noise = Noise(store, 0, "text", chosen)
    train = store.rows(0, "train")
    known = {word for text in store.texts("text", train) for word in text.split()}
    assert {word for both in WORDS for word in both.split()} < known and set(noise.words) == known
    assert torch.equal(noise(ALL, 0.0), store.batch(chosen, 0).inputs["text"])
    worse = noise(ALL, 1.0)
    alone = torch.cat([Noise(store, 0, "text", chosen[[k]])(ALL, 1.0) for k in range(12)])
    assert torch.equal(worse, alone)
    corrupted = [noise.corrupt(text, 1.0, ["alpha"], np.random.default_rng(0)) for text in noise.texts]
    assert corrupted == ["alpha alpha alpha"] * 12  # each said three words
    assert (worse != noise(ALL, 0.0)).any(1).sum() > 8


def test_a_sample_without_a_text_has_none_under_noise_either(store: Store) -> None:
    test = store.rows(0, "test")
    without = test[~store.has("text")[test]]
    assert len(without) and not Noise(store, 0, "text", without)(ALL, 1.0).any()
