"""What autoencoders share: an encoder, and a decoder that makes the whole input from one vector.

Each place of the input (a token of a text, a patch, a column) has a learned query, which is multiplied with the vector
number by number; a perceptron makes a guess of the product. (The sum of both lost half of what the product makes again
of pictures and sounds.) Of a published vocabulary, which is large, an eighth of the places is guessed,
drawn anew at each step.

Legend: `B` samples, `T` places, `D` width of the encoder's vector, `Z` width of the vector that is decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trivium.objectives import goals

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder

FEW = 0.125  # share of the places of a text that are guessed, of a published vocabulary


class Autoencoder(nn.Module):
    """latent: Z, where that is not D."""

    labels = False

    def __init__(self, encoder: Encoder, latent: int | None = None) -> None:
        super().__init__()
        self.encoder, width = encoder, encoder.width
        self.goal = goals.goal(encoder)
        self.count = self.goal.count(goals.example(encoder))
        self.guessed = max(1, round(FEW * self.count)) if self.goal.few else self.count  # places of a sample
        self.place = nn.Parameter(torch.randn(self.count, width))
        self.whole = nn.Linear(latent or width, width)
        self.decode = goals.decoder(encoder, self.goal)

    @property
    def encoders(self) -> dict[str, Encoder]:
        return {self.encoder.spec.name: self.encoder}

    def input(self, batch: Batch) -> Tensor:
        return batch.inputs[self.encoder.spec.name]

    def errors(self, z: Tensor, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Of the input `x` that z [B, Z] stands for: the errors at all its known places together, and how many these
        are; each [B].
        """
        known = self.goal.known(x, torch.ones(len(x), self.count, dtype=torch.bool, device=x.device))
        queries, goal = self.place.unsqueeze(0), self.goal.at(x)
        if self.goal.few:
            drawn = goals.few(len(x), self.count, FEW, generator).to(x.device, non_blocking=True)
            rows, places = goals.where(drawn, self.guessed)
            known, queries, goal = known[rows, places], self.place[places], goal[rows, places]
        guess = self.decode(queries * self.whole(z).unsqueeze(1))
        weight = known.float()  # not bf16: it could not count beyond 256
        return (self.goal.error(guess, goal) * weight).sum(1), weight.sum(1)

    def score(self, batch: Batch) -> Tensor:
        """The loss, with whatever it draws drawn alike each time."""
        loss: Tensor = self.loss(batch, torch.Generator().manual_seed(0))  # type: ignore[operator]
        return loss
