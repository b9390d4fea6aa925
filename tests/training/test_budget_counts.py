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


def test_weight_norm_as_in_wav2vec_2_is_counted() -> None:
    layer = nn.utils.parametrizations.weight_norm(nn.Conv1d(4, 8, 3, bias=False))
    x = torch.randn(2, 4, 10)
    forward = 2 * 8 * 8 * 12  # 8 places, 8 channels out, 4 x 3 weights each
    assert budget.counted(lambda: layer(x).sum(), module=layer) == 2 * forward + (3 + 6) * 8 * 12 / 2  # of two samples


@pytest.mark.parametrize("kind", ["Wav2Vec2", "Hubert", "WavLM"])
def test_published_models_of_sound_can_be_counted(kind: str) -> None:
    import transformers

    config = getattr(transformers, f"{kind}Config")(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2)
    body = getattr(transformers, f"{kind}Model")(config).eval()
    assert budget.counted(lambda: body(torch.randn(2, 4000)).last_hidden_state.sum(), module=body) > 1e6


def test_what_follows_a_backward_pass_is_paid_for() -> None:
    layer, x = nn.Linear(3, 5), torch.ones(2, 3)
    once = budget.counted(lambda: layer(x).sum(), module=layer)
    again = budget.counted(lambda: layer(x).sum(), module=layer, after=lambda: layer(x).sum())
    assert again - once == 2 * 3 * 5  # a forward pass
