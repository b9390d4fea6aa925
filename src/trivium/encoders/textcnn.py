"""Convolutions of three widths over the words of a text: each feature looks for a phrase of 3, 4 or 5 tokens, and the
strongest place in the text is what counts. Where a phrase stands is not heard.

Shapes: ids [B, T] -> tokens [B, T, D], token t the phrases around it -> [B, D], a third of D for each width of phrase.
Cost: about 4 D x D multiplications per token, in one layer.
Source: Kim 2014, arXiv 1408.5882.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trivium.encoders.base import PAD, Drop, Dropping, Encoder, Wide

if TYPE_CHECKING:
    from trivium.modalities.spec import Spec

KINDS = ("tokens",)
PHRASES = (3, 4, 5)  # tokens


class Settings(Wide, Dropping):
    pass


class TextCNN(Encoder):
    """Behind a text, as before it, the phrases find zeros; `pool` leaves out what stands around padding."""

    def __init__(self, spec: Spec, width: int, drop: Drop) -> None:
        super().__init__()
        self.drop = drop
        self.spec, self.width, self.patch = spec, width, ()
        self.embed = nn.Embedding(spec.vocab, width, padding_idx=PAD)
        part, rest = divmod(width, len(PHRASES))
        self.look = nn.ModuleDict({str(phrase): nn.Conv1d(width, part + (k < rest), phrase)
                                   for k, phrase in enumerate(PHRASES)})

    def tokens(self, x: Tensor) -> Tensor:
        words = self.embed(x).transpose(1, 2)  # [B, D, T]
        found = [look(nn.functional.pad(words, ((phrase - 1) // 2, phrase // 2)))
                 for phrase, look in zip(PHRASES, self.look.values(), strict=True)]
        return self.drop(torch.cat(found, 1).relu().transpose(1, 2))


def build(spec: Spec, settings: Settings) -> TextCNN:
    return TextCNN(spec, settings.width, Drop(settings.dropout))
