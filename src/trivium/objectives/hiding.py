"""One stream of which part is hidden, and what was there, predicted from its tokens and from vectors.

Legend: `B` samples, `T` tokens, `D` width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trivium.objectives import draws, goals
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.encoders.base import Encoder


class Hiding(nn.Module):
    """share: of the input that is hidden, 0-1.  name: of the objective.

    Raises: UserError (an encoder of the hub whose tokens are not those of `patches`).
    """

    def __init__(self, encoder: Encoder, share: float, name: str) -> None:
        super().__init__()
        self.encoder, self.share = encoder, share
        self.goal = goals.goal(encoder)
        probe = goals.example(encoder)
        self.count, width = self.goal.count(probe), encoder.width
        self.whole = nn.Linear(width, width)
        self.decode = goals.decoder(encoder, self.goal)
        with torch.no_grad():
            tokens = encoder.tokens(probe).shape[1] - encoder.special
        if tokens != self.count:
            raise UserError(f"The encoder that params.yaml names for {encoder.spec.name} makes {tokens} tokens of "
                            f"{self.count} patches, so that masked pretraining cannot tell which token stands for "
                            f"which patch. Take the recipes with `objective: {name}` out of `pretrain` and the "
                            "strategies that start from them out of `train`, or name another encoder.")

    def read(self, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """What is hidden of `x`, bool [B, T]; tokens [B, T, D] and vector [B, D] of what is left."""
        shape = len(x), self.count
        hidden = (goals.few(*shape, self.share, generator) if self.goal.few else
                  draws.rand(shape, generator) < self.share)
        hidden = self.goal.known(x, hidden.to(x.device, non_blocking=True))
        seen = self.encoder.hide(x, hidden)
        tokens = self.encoder.tokens(seen)
        return hidden, tokens[:, self.encoder.special:], self.encoder.pool(tokens, seen)

    def error(self, x: Tensor, hidden: Tensor, tokens: Tensor, vector: Tensor) -> Tensor:
        """Mean over the `hidden` tokens of `x`, predicted from their `tokens` and the sample's `vector` [B, D]."""
        goal = self.goal.at(x)
        if self.goal.few:
            rows, places = goals.where(hidden, max(1, round(self.share * self.count)))
            hidden, tokens, goal = hidden[rows, places], tokens[rows, places], goal[rows, places]
        guess = self.decode(tokens + vector.unsqueeze(1))
        weight = hidden.float()  # not bf16: it could not count beyond 256
        return (self.goal.error(guess, goal) * weight).sum() / weight.sum().clamp(min=1)
