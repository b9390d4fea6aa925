"""What a fusion costs is known to the counters of the budget, operator by operator."""

import pytest
import torch
from torch import Tensor, nn

from trivium import fusion
from trivium.settings.errors import UserError
from trivium.training import budget

WIDTHS = dict.fromkeys(("text", "image", "audio"), 16)
WEIGHTS = {  # multiplications of one sample, forward, at three streams and D = 16
    "attention": 4 * (4 * 256 + 2 * 512) + 2 * 4 * 4 * 16,  # four tokens with the summary
    "concat": 48 * 32 + 32 * 16,
    "convolution": 3 * 256 + 3 * 3 * 256,  # three places
    "experts": 3 * 256 + (3 * 1 + 3 * 2 + 3) * 256 + 48 * 7,
    "film": 2 * 256 + 2 * 256 + 256,
    "gated": 3 * 256 + 48 * 48,
    "low_rank": 3 * 4 * 256,
    "plain": 0,
    "pooling": 3 * 256 + 3 * (256 + 16),
    "recurrent": 3 * 256 + 3 * 6 * 256,
    "sum": 3 * 256,
    "tensor": 17 ** 3 * 16,
    "weighted": 3 * 256,
}


def fused(mix: nn.Module) -> Tensor:
    vectors = {s: torch.randn(budget.PROBE, width) for s, width in WIDTHS.items()}
    return mix(vectors, torch.ones(budget.PROBE, len(WIDTHS), dtype=torch.bool))


@pytest.mark.parametrize("name", fusion.names())
def test_every_operator_is_known(name: str) -> None:
    """Training: forward, and backward with one product for each weight's gradient and one for each input's."""
    mix = fusion.build(fusion.chosen(name, "fusion"), WIDTHS)
    forward = budget.counted(lambda: fused(mix).detach(), module=mix)
    training = budget.counted(lambda: fused(mix).square().sum(), module=mix)
    assert 2 * forward <= training <= 3.5 * forward
    if name in WEIGHTS:
        assert forward == 2 * WEIGHTS[name]


def test_an_operator_that_is_not_known_is_an_error() -> None:
    class Distances(nn.Module):
        """To learned points: an operator that reads weights and has no formula."""

        def __init__(self) -> None:
            super().__init__()
            self.points = nn.Parameter(torch.randn(8, 48))

        def forward(self, vectors: dict[str, Tensor], present: Tensor) -> Tensor:
            return torch.cdist(torch.cat(list(vectors.values()), 1), self.points, p=1.0)

    mix = Distances()
    with pytest.raises(UserError, match=r"What aten\._cdist_\w+\.default.* costs is not known"):
        budget.counted(lambda: fused(mix).sum(), module=mix)
