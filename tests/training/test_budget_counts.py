"""What the counters know, and that what they do not know is an error."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trivium.settings.errors import UserError
from trivium.training import budget


def test_a_recurrent_layer_is_counted() -> None:
    lstm = nn.LSTM(4, 8, batch_first=True)
    x = torch.randn(2, 5, 4)
    forward = 2 * 5 * (4 * 8 * 4 + 4 * 8 * 8)  # multiplications and additions of 5 steps: input and state to 4 gates
    assert budget.counted(lambda: lstm(x)[0].sum(), module=lstm) == 3 * forward


def test_an_operator_with_weights_that_nobody_can_count_is_an_error() -> None:
    bilinear = nn.Parameter(torch.randn(3, 3))
    holder = nn.Module()
    holder.weight = bilinear
    with pytest.raises(UserError, match=r"What .*cdist.* costs is not known"):
        budget.counted(lambda: torch.cdist(torch.randn(2, 3), bilinear).sum(), module=holder)
