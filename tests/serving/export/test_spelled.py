"""What is spelled out for ONNX says what it said before."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingRegressor

from trivium.encoders import cells, hub
from trivium.encoders.published.resemblyzer import Mel
from trivium.models.boosting import Trees
from trivium.models.linear import Bag
from trivium.serving.export import spelled


def test_a_bag_of_counts() -> None:
    draw = torch.Generator().manual_seed(0)
    part = Bag(64, 10, 3)
    with torch.no_grad():
        part.tfidf.idf.copy_(torch.rand(64, generator=draw))
        part.place[1:] = torch.randint(0, 11, (64,), generator=draw, dtype=torch.int32)
        part.weight[1:] = torch.randn(10, 3, generator=draw)
        part.bias.copy_(torch.tensor([1.0, 2.0, 3.0]))
    x = torch.randint(0, 5, (4, 9, 2), generator=draw)
    torch.testing.assert_close(spelled.bag(part, x), part(x), rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def grown() -> Trees:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(300, 4))
    x[draw.random(x.shape) < 0.2] = np.nan
    fitted = HistGradientBoostingRegressor(max_iter=9, early_stopping=False).fit(x, np.nan_to_num(x) @ np.arange(4))
    return Trees.of([each[0].nodes for each in fitted._predictors], [k % 2 for k in range(9)], np.array([0.5, -1.0]))


def test_trees_in_a_fixed_number_of_steps(grown: Trees) -> None:
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(50, 4)))
    x[::3, 1] = torch.nan
    torch.testing.assert_close(spelled.trees(grown, spelled.depth(grown), x), grown(x), rtol=0, atol=1e-12)
    assert spelled.depth(grown) > 3


def test_steps_of_a_tree_by_hand() -> None:
    part = Trees(2, 5, 1)  # the first tree: 0 -> 1, 2 and 2 -> 3, 4; the second is a leaf
    part.is_leaf[:] = torch.tensor([[False, True, False, True, True], [True] * 5])
    part.left[0], part.right[0] = torch.tensor([1, 0, 3, 0, 0]), torch.tensor([2, 0, 4, 0, 0])
    assert spelled.depth(part) == 2
    assert spelled.depth(Trees(0, 1, 1)) == 0
    assert spelled.trees(Trees(0, 1, 2), 0, torch.zeros(3, 4)).shape == (3, 2)


def test_a_spectrum_of_sines_and_cosines() -> None:
    wave = torch.randn(3, 1600, generator=torch.Generator().manual_seed(0)) * 0.1
    wave[1, 800:] = 0
    wave[2] = 0
    part = Mel()
    torch.testing.assert_close(spelled.mel(part, wave), part(wave), rtol=1e-4, atol=1e-6)


def test_all_is_as_it_was_afterwards() -> None:
    cut = hub.unpadded
    with spelled.spelled(torch.nn.ModuleList([Bag(8, 2, 2)])):
        assert hub.unpadded is not cut and cells.len is spelled.length  # type: ignore[attr-defined]
    assert hub.unpadded is cut and not hasattr(cells, "len")
    assert spelled.length([1, 2]) == 2 and spelled.length(torch.zeros(3, 4)) == 3
