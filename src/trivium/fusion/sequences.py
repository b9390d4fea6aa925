"""What fusions that read tokens share: streams as sequences of one width, and attention over them.

A stream comes as [B, 1 + T_s, D_s + 1], its vector first, and behind each token whether it is one (see
`encoders.base.Encoder`); or as a vector [B, D_s], which is a sequence of one token.
Legend: `B` samples, `S` streams, `T` tokens, `D` width, `H` heads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from trivium.fusion.base import Wide, common
from trivium.settings.base import Count
from trivium.settings.errors import UserError

Found = tuple[Tensor, Tensor]  # tokens [B, T, D], and bool [B, T], which of them are there


class Headed(Wide):
    """`heads`: of the attention; null: one per 16 of the width."""

    heads: Count | None = None


def sizes(widths: Mapping[str, int], settings: Headed, name: str) -> tuple[int, int]:
    """Width and heads. Raises: UserError (heads that do not divide the width)."""
    width = common(widths, settings.width)
    heads = settings.heads or max(n for n in range(1, 1 + max(1, width // 16)) if width % n == 0)
    if width % heads:
        raise UserError(f"params.yaml: `fusion: {name}` with {heads} heads needs a width that {heads} divides; "
                        f"it is {width}.")
    return width, heads


class Sequences(nn.Module):
    """{stream: what its encoder gives}, bool [B, S] -> {stream: its tokens and which are there}.

    A linear map takes each stream to the width D and a learned vector marks whose tokens they are. Where a stream is
    absent none of its tokens is there, and all are zeros.
    """

    def __init__(self, widths: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.streams = tuple(widths)
        self.project = nn.ModuleDict({s: nn.Linear(own, width) for s, own in widths.items()})
        self.mark = nn.Parameter(torch.randn(len(widths), width) * 0.02)

    def forward(self, given: Mapping[str, Tensor], present: Tensor) -> dict[str, Found]:
        found = dict[str, Found]()
        for k, s in enumerate(self.streams):
            x = given[s]
            tokens, there = (x.unsqueeze(1), present[:, k: k + 1]) if x.dim() == 2 else (
                x[..., :-1], (x[..., -1] > 0) & present[:, k: k + 1])
            made = self.project[s](torch.where(there.unsqueeze(-1), tokens, 0.0)) + self.mark[k]
            found[s] = torch.where(there.unsqueeze(-1), made, 0.0), there
        return found


def together(found: Sequence[Found]) -> Found:
    """One sequence behind the other."""
    tokens, there = zip(*found, strict=True)
    return torch.cat(tokens, 1), torch.cat(there, 1)


def largest(found: Found) -> Tensor:
    """[B, D]: the largest number over the tokens that are there; zeros where there are none."""
    tokens, there = found
    filled = tokens.masked_fill(~there.unsqueeze(-1), torch.finfo(tokens.dtype).min)
    return torch.where(there.any(1, keepdim=True), filled.amax(1), 0.0)


class Attend(nn.Module):
    """A layer of a Transformer with its norms before: `tokens` [B, T, D] look at `others` (tokens, which are there).

    A token that is always there and holds nothing stands before the others, so that looking at nobody is possible.
    Source: Vaswani et al. 2017, arXiv 1706.03762; the token that holds nothing, `add_zero_attn` of torch.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.both, self.out = nn.Linear(width, width), nn.Linear(width, 2 * width), nn.Linear(width, width)
        self.perceptron = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, tokens: Tensor, others: Found) -> Tensor:
        query, key, value, seen = self._parts(tokens, others)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        tokens = tokens + self.out(mixed.transpose(1, 2).flatten(2))
        return tokens + self.perceptron(self.between(tokens))

    def looks(self, tokens: Tensor, others: Found) -> Tensor:
        """[B, T, T']: the share of each token's attention that goes to each of the others, mean over heads, 0-1."""
        query, key, _, seen = self._parts(tokens, others)
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        return scores.masked_fill(~seen, -torch.inf).softmax(-1).mean(1)[..., 1:]

    def _parts(self, tokens: Tensor, others: Found) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """query [B, H, T, D / H]; key and value [B, H, 1 + T', D / H]; who may be seen [B, 1, 1, 1 + T']."""
        known, there = others
        query = self.query(self.before(tokens))
        key, value = (nn.functional.pad(part, (0, 0, 1, 0)) for part in self.both(self.before(known)).chunk(2, -1))
        seen = nn.functional.pad(there, (1, 0), value=True)[:, None, None]
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (query, key, value))
        return query, key, value, seen
