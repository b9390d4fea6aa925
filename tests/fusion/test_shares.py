"""What share of the answer a fusion gives to each stream, by hand: together 1, and 0 for a stream that is absent."""

import math
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn

from tests import networks
from trivium import fusion
from trivium.data.store import Batch
from trivium.evaluation.attribution import fused
from trivium.modalities.spec import Spec

WIDTHS = {"text": 8, "image": 12, "audio": 16}
SPECS = {s: Spec(s, "image", (1, 8, 8), modality="image") for s in ("photo", "scan")}
ALL, TWO, ONE, NONE = ([True, True, True], [True, False, True], [False, True, False], [False, False, False])
PRESENT = torch.tensor([ALL, TWO, ONE, NONE])
WEIGH = [name for name in fusion.names() if name not in ("attention", "transformer")  # whose summary sees itself, too
         and hasattr(fusion.build(fusion.chosen(name, "fusion"), WIDTHS), "attention")]


def build(value: str | dict[str, Any], widths: dict[str, int] | None = None) -> Any:
    torch.manual_seed(0)
    return fusion.build(fusion.chosen(value, "fusion"), widths or WIDTHS)


def drawn(widths: dict[str, int] | None = None, samples: int = 4) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    return {s: torch.randn(samples, width, generator=draw) for s, width in (widths or WIDTHS).items()}


def same(found: torch.Tensor, expected: list[list[float]]) -> None:
    torch.testing.assert_close(found, torch.tensor(expected))


def test_which_fusions_weigh_streams() -> None:
    assert WEIGH == ["entropy", "experts", "gated", "pooling", "weighted"]


@pytest.mark.parametrize("name", WEIGH)
@pytest.mark.parametrize("stand_in", [False, True])
def test_shares_add_up_to_1_over_the_streams_that_are_there(name: str, stand_in: bool) -> None:
    mix, own = build({"name": name, "stand_in": stand_in}), drawn()
    own["image"][1] = torch.nan  # which nobody hears
    shares = mix.attention(own, PRESENT)
    assert shares.shape == (4, 3) and not shares[~PRESENT].any() and (shares[PRESENT] > 0).all()
    if not stand_in:
        torch.testing.assert_close(shares.sum(1), torch.tensor([1.0, 1.0, 1.0, 0.0]))


def test_learned_weights() -> None:
    """Of weights 3, 4 and 1."""
    mix, own = build("weighted"), drawn()
    with torch.no_grad():
        mix.scores.copy_(torch.tensor([3.0, 4.0, 1.0]).log())
    same(mix.attention(own, PRESENT), [[0.375, 0.5, 0.125], [0.75, 0.0, 0.25], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])


def test_gates_are_condensed_to_how_far_they_are_open_on_average() -> None:
    """Those of text are half open at 0.5; of image's numbers half let 0.9 through and half 0.1; audio's let 0.25."""
    mix, own = build({"name": "gated", "width": 8}), drawn()
    opened = [0.5] * 8 + [0.9] * 4 + [0.1] * 4 + [0.25] * 8
    nn.init.zeros_(mix.gate.weight)
    with torch.no_grad():
        mix.gate.bias.copy_(torch.tensor(opened).logit())
    same(mix.attention(own, PRESENT), [[0.4, 0.4, 0.2], [2 / 3, 0.0, 1 / 3], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    with torch.no_grad():
        mix.gate.bias.fill_(-200.0)  # all shut: nothing is shared out
    assert not mix.attention(own, PRESENT).any()


def test_an_expert_of_several_streams_counts_for_each_alike() -> None:
    """Two streams: weights 1 and 2 of the experts of one, 5 of that of both."""
    two = {"text": 8, "image": 12}
    mix, own = build("experts", two), drawn(two, 3)
    nn.init.zeros_(mix.gate.weight)
    with torch.no_grad():
        mix.gate.bias.copy_(torch.tensor([1.0, 2.0, 5.0]).log())
    present = torch.tensor([[True, True], [False, True], [False, False]])
    same(mix.attention(own, present), [[(1 + 2.5) / 8, (2 + 2.5) / 8], [0.0, 1.0], [0.0, 0.0]])
    three = build("experts")  # a third of the one that reads all, halves of those of two
    nn.init.zeros_(three.gate.weight)
    with torch.no_grad():
        three.gate.bias.copy_(torch.tensor([1.0, 1.0, 2.0, 2.0, 4.0, 1.0, 9.0]).log())
    same(three.attention(drawn(), PRESENT), [
        [(1 + 1 + 2 + 3) / 20, (1 + 1 + 0.5 + 3) / 20, (2 + 2 + 0.5 + 3) / 20], [3 / 7, 0.0, 4 / 7], [0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0]])


def test_the_surer_stream_has_the_larger_share() -> None:
    """Of two classes, the first stream says (1/2, 1/2), an entropy of ln 2, the second (.9, .1), one of .325."""
    model = networks.multimodal(SPECS, 2, "entropy")
    with torch.no_grad():
        model.head.weight.zero_()[0, 0] = 1.0
        model.head.bias.zero_()
    vectors = {s: torch.zeros(3, 16) for s in SPECS}
    vectors["scan"][:, 0] = math.log(9)
    unsure, sure = math.exp(-math.log(2)), math.exp(-0.3250830)
    present = torch.tensor([[True, True], [True, False], [False, False]])
    same(model.fusion.attention(vectors, present),
         [[unsure / (sure + unsure), sure / (sure + unsure)], [1.0, 0.0], [0.0, 0.0]])


def test_what_a_stand_in_is_given_is_nobody_s() -> None:
    """The explanation shares out among the streams that are there."""
    model = networks.multimodal(SPECS, 2, {"name": "weighted", "stand_in": True})
    with torch.no_grad():
        model.fusion.mix.scores.copy_(torch.tensor([3.0, 1.0]).log())
    vectors, present = {s: torch.randn(2, 16) for s in SPECS}, torch.tensor([[True, True], [False, True]])
    same(model.fusion.attention(vectors, present), [[0.75, 0.25], [0.0, 0.25]])
    shares = fused(model, Batch(vectors, present, torch.zeros(2, dtype=torch.int64), encoded=True))
    assert shares is not None
    same(torch.stack([*shares.values()], 1), [[0.75, 0.25], [0.0, 1.0]])
    assert torch.equal(deepcopy(model).fusion.attention(vectors, present), model.fusion.attention(vectors, present))
    assert not hasattr(build({"name": "concat", "stand_in": True}), "attention")
    assert fused(networks.multimodal(SPECS, 2, {"name": "concat", "stand_in": True}), Batch(
        vectors, present, torch.zeros(2, dtype=torch.int64), encoded=True)) is None
