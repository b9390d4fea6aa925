"""Stacked streams: what the first stream says conditions how the tokens of the next are read, and what they say
together conditions the one behind.

Shapes: {stream: [B, 1 + T_s, D_s + 1]}, bool [B, S] -> [B, D], what was said up to the last stream. Cost: per stream a
layer of 8 D^2 weights over its tokens and 2 D^2 that condition them. In the order of the streams: each token is scaled
and shifted, number by number, by what was said so far (zeros at first), the tokens look at each other, and the largest
numbers over them are added to what was said. An absent stream adds nothing. `hybrid` has the streams side by side as
well.
Source: conditioning, Perez et al. 2018, arXiv 1709.07871, inside the reading of a picture, de Vries et al. 2017, arXiv
1707.00683.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from trivium.fusion.sequences import Attend, Headed, Sequences, largest, sizes

READS = "tokens"


class Settings(Headed):
    pass


class Stacked(nn.Module):
    """{stream: tokens}, bool [B, S] -> [B, D]; zeros for a sample without streams."""

    def __init__(self, widths: Mapping[str, int], width: int, heads: int) -> None:
        super().__init__()
        self.width = width
        self.sequences = Sequences(widths, width)
        self.condition = nn.ModuleDict({s: nn.Linear(width, 2 * width) for s in tuple(widths)[1:]})
        self.read = nn.ModuleDict({s: Attend(width, heads) for s in widths})

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        said: Tensor | None = None
        for s, (tokens, there) in self.sequences(vectors, present).items():
            if said is not None:
                scale, shift = self.condition[s](said).unsqueeze(1).chunk(2, -1)
                tokens = tokens * (1 + scale) + shift
            own = largest((self.read[s](tokens, (tokens, there)), there))
            said = own if said is None else said + own
        assert said is not None
        return said


def build(widths: Mapping[str, int], settings: Settings) -> Stacked:
    """Raises: UserError (heads that do not divide the width)."""
    return Stacked(widths, *sizes(widths, settings, "stacked"))
