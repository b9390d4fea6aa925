"""Cross-attention: the tokens of each stream look at the tokens of all the others, and what they then hold is pooled
stream by stream.

Shapes: {stream: [B, 1 + T_s, D_s + 1]}, bool [B, S] -> [B, D]. Cost: per stream `layers` layers of 8 D^2 weights over
its tokens, attention over T_s times the others' tokens; then one linear map of all pooled streams. Pooled is the
largest number over a stream's tokens; a stream that is absent gives zeros.
Source: crossmodal attention, Tsai et al. 2019, arXiv 1906.00295, with all other streams at once instead of pair by
pair.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trivium.fusion.sequences import Attend, Found, Headed, Sequences, largest, sizes, together
from trivium.settings.base import Count

READS = "tokens"


class Settings(Headed):
    layers: Count = 1


class CrossAttention(nn.Module):
    """{stream: tokens}, bool [B, S] -> [B, D]. A stream that is alone looks at nobody."""

    def __init__(self, widths: Mapping[str, int], width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.width = width
        self.sequences = Sequences(widths, width)
        self.layers = nn.ModuleList(nn.ModuleDict({s: Attend(width, heads) for s in widths}) for _ in range(layers))
        self.out = nn.Linear(len(widths) * width, width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        found: dict[str, Found] = self.sequences(vectors, present)
        nobody = present.new_zeros(len(present), 1, self.width, dtype=next(iter(found.values()))[0].dtype), (
            present.new_zeros(len(present), 1))
        for layer in self.layers:
            found = {s: (layer[s](tokens, together([found[other] for other in found if other != s] or [nobody])), there)
                     for s, (tokens, there) in found.items()}  # type: ignore[index]
        return self.out(torch.cat([largest(one) for one in found.values()], 1))


def build(widths: Mapping[str, int], settings: Settings) -> CrossAttention:
    """Raises: UserError (heads that do not divide the width)."""
    return CrossAttention(widths, *sizes(widths, settings, "cross_attention"), settings.layers)
