"""A learned vector for each word, and the mean of them: no word sees another, and their order is not heard.

Shapes: ids [B, T] -> tokens [B, T, D] -> [B, D], the mean over what is not padding; 0 where there is nothing else.
Cost: nothing is multiplied; the weights are D numbers for each entry of the vocabulary, looked up.
Source: fastText without its pairs of words, Joulin et al. 2016, arXiv 1607.01759.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from trivium.encoders.base import PAD, Encoder, Wide

if TYPE_CHECKING:
    from trivium.modalities.spec import Spec

KINDS = ("tokens",)


class Settings(Wide):
    pass


class Static(Encoder):
    def __init__(self, spec: Spec, width: int) -> None:
        super().__init__()
        self.spec, self.width, self.patch = spec, width, ()
        self.embed = nn.Embedding(spec.vocab, width, padding_idx=PAD)

    def tokens(self, x: Tensor) -> Tensor:
        return self.embed(x)

    def pool(self, tokens: Tensor, x: Tensor) -> Tensor:
        real = (x != PAD).unsqueeze(-1).to(tokens.dtype)
        return (tokens * real).sum(1) / real.sum(1).clamp(min=1)


def build(spec: Spec, settings: Settings) -> Static:
    return Static(spec, settings.width)
