"""A small bidirectional Transformer (a `transformers` BERT configuration) on the patch stem of `cnn`.

Source: Devlin et al. 2019, arXiv 1810.04805; patches of a picture, Dosovitskiy et al. 2021, arXiv 2010.11929.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from trivium.encoders.base import PAD, Drop, Encoder, Residual, Sized, Stem, patch_size

if TYPE_CHECKING:
    from trivium.modalities.spec import Spec


class Settings(Sized, Residual):
    pass


class Transformer(Encoder):
    def __init__(self, spec: Spec, width: int, drops: Sequence[Drop]) -> None:
        super().__init__()
        from transformers import BertConfig, BertModel

        self.spec, self.width = spec, width
        self.patch = patch_size(spec)
        self.stem = Stem(spec, self.patch, self.grid, width)
        heads = max(n for n in range(1, 1 + max(1, width // 16)) if width % n == 0)
        config = BertConfig(
            vocab_size=3, hidden_size=width, num_hidden_layers=len(drops), num_attention_heads=heads,
            intermediate_size=2 * width, max_position_embeddings=math.prod(self.grid),
            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,  # what is added is dropped below
            attn_implementation="sdpa",
        )
        self.body = BertModel(config, add_pooling_layer=False)
        del self.body.embeddings.word_embeddings  # the stem embeds
        for layer, drop in zip(self.body.encoder.layer, drops, strict=True):
            layer.attention.output.dropout = layer.output.dropout = drop

    def tokens(self, x: Tensor) -> Tensor:
        real = (x != PAD).long() if self.spec.kind == "tokens" else None
        return self.body(inputs_embeds=self.stem(x), attention_mask=real).last_hidden_state


def build(spec: Spec, settings: Settings) -> Transformer:
    return Transformer(spec, settings.width, settings.drops(settings.depth))
