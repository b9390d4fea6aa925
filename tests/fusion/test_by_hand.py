"""What each fusion computes, against a count by hand, a layer of torch's or another fusion."""

from typing import Any

import pytest
import torch
from torch import nn

from trivium import fusion
from trivium.fusion import base
from trivium.settings.errors import UserError

WIDTHS = {"text": 8, "image": 12, "audio": 16}
THREE = torch.ones(5, 3, dtype=torch.bool)


def build(value: str | dict[str, Any], widths: dict[str, int] | None = None) -> Any:
    torch.manual_seed(0)
    return fusion.build(fusion.chosen(value, "fusion"), widths or WIDTHS)


def drawn(widths: dict[str, int] | None = None) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    return {s: torch.randn(5, width, generator=draw) for s, width in (widths or WIDTHS).items()}


def only(*streams: str) -> torch.Tensor:
    """bool [B, S]: every sample has these streams and no other."""
    return torch.tensor([[s in streams for s in WIDTHS]]).expand(5, 3)


def fill(layer: nn.Linear, weight: float, bias: float) -> None:
    nn.init.constant_(layer.weight, weight)
    nn.init.constant_(layer.bias, bias)


def test_shares() -> None:
    scores = torch.tensor([[0.0, 3.0, 0.0], [1.0, 2.0, 3.0], [5.0, 6.0, 7.0]])
    there = torch.tensor([[True, False, True], [False, True, False], [False, False, False]])
    assert base.shares(scores, there).tolist() == [[0.5, 0.0, 0.5], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize("name", ["sum", "weighted", "pooling"])
def test_one_present_stream_is_its_projection(name: str) -> None:
    mix, own = build(name), drawn()
    for s in WIDTHS:
        torch.testing.assert_close(mix(own, only(s)), mix.projected.project[s](own[s]))


def test_the_sum_of_two_is_their_mean() -> None:
    mix, own = build("sum"), drawn()
    text, audio = (mix.projected.project[s](own[s]) for s in ("text", "audio"))
    torch.testing.assert_close(mix(own, only("text", "audio")), (text + audio) / 2)


def test_equal_weights_are_the_sum_and_others_are_shared_out_among_those_there() -> None:
    mix, plain, own = build("weighted"), build("sum"), drawn()
    plain.projected = mix.projected
    for present in (THREE, only("text", "audio"), only("image"), only()):
        torch.testing.assert_close(mix(own, present), plain(own, present))
    with torch.no_grad():
        mix.scores.copy_(torch.tensor([3.0, 100.0, 1.0]).log())
    text, audio = (mix.projected.project[s](own[s]) for s in ("text", "audio"))
    torch.testing.assert_close(mix(own, only("text", "audio")), 0.75 * text + 0.25 * audio)


def test_open_gates_let_all_through_and_closed_ones_nothing() -> None:
    mix, own = build("gated"), drawn()
    squashed = {s: mix.projected.project[s](own[s]).tanh() for s in WIDTHS}
    fill(mix.gate, 0.0, 0.0)  # half open
    torch.testing.assert_close(mix(own, only("text", "image")), (squashed["text"] + squashed["image"]) / 2)
    fill(mix.gate, 0.0, -100.0)
    assert not mix(own, THREE).any()
    with torch.no_grad():
        mix.gate.bias[:64] = 100.0  # those of the first stream
    torch.testing.assert_close(mix(own, THREE), squashed["text"])


def test_a_gate_of_one_stream_reads_the_others() -> None:
    mix, own = build("gated"), drawn()
    nn.init.zeros_(mix.projected.project["image"].weight)  # all that is left of image is what the gates hear
    nn.init.zeros_(mix.projected.project["image"].bias)
    other = own | {"image": own["image"] + 1}
    assert not torch.allclose(mix(own, THREE), mix(other, THREE))


def test_a_query_that_scores_all_alike_gives_the_mean_and_another_leans() -> None:
    mix, plain, own = build("pooling"), build("sum"), drawn()
    plain.projected = mix.projected
    nn.init.zeros_(mix.query.weight)
    for present in (THREE, only("text", "audio"), only()):
        torch.testing.assert_close(mix(own, present), plain(own, present))
    leaning = build("pooling")
    given = leaning.attention(own, only("text", "audio"))
    assert not given[:, 1].any() and torch.allclose(given.sum(1), torch.ones(5)) and given[:, 0].std() > 0
    tokens = leaning.projected(own, only("text", "audio"))
    torch.testing.assert_close(leaning(own, only("text", "audio")), (given.unsqueeze(2) * tokens).sum(1))


def test_the_products_of_two_streams_of_one_number() -> None:
    mix = build({"name": "tensor", "width": 8}, {"text": 1, "image": 1})
    given = {"text": torch.tensor([[2.0], [2.0], [2.0]]), "image": torch.tensor([[5.0], [5.0], [5.0]])}
    present = torch.tensor([[True, True], [True, False], [False, False]])
    assert mix.outer(given, present).tolist() == [[10, 2, 5, 1], [0, 2, 0, 1], [0, 0, 0, 1]]  # xy, x, y, 1
    with torch.no_grad():
        mix.mix.weight[0] = torch.tensor([1.0, -1.0, 3.0, 7.0])
        mix.mix.bias.zero_()
    assert mix(given, present)[:, 0].tolist() == [10 - 2 + 15 + 7, -2 + 7, 7]


def test_an_absent_stream_leaves_its_1_behind_a_projection_too() -> None:
    mix, own = build({"name": "tensor", "each": 2}), drawn()
    table = mix.outer(own, only("audio")).unflatten(1, (3, 3, 3))
    assert torch.equal(table[:, 2, 2, :2], mix.project["audio"](own["audio"]))
    assert torch.equal(table.flatten(1).count_nonzero(1), torch.full((5,), 3))
    assert mix.outer(own, only()).tolist() == [[0.0] * 26 + [1.0]] * 5


def test_too_many_products_are_refused_with_a_way_out() -> None:
    many = {f"s{k}": 64 for k in range(5)}
    says = (r"params\.yaml: `fusion: tensor` of 5 streams with `each: 16` has 1,419,857 products, more than 131,072: "
            r"set `each: 9` or less, or take `fusion: low_rank`, which does without them\.")
    with pytest.raises(UserError, match=says):
        build("tensor", many)
    assert build({"name": "tensor", "each": 9}, many).width == 64
    with pytest.raises(UserError, match=r"131,072: take `fusion: low_rank`"):
        build("tensor", {f"s{k}": 64 for k in range(18)})
    assert build("tensor", {f"s{k}": 64 for k in range(4)}).mix.in_features == 17 ** 4  # four fit


def test_low_rank_is_the_tensor_that_its_factors_make() -> None:
    small = {"text": 3, "image": 4, "audio": 5}
    low, full = build({"name": "low_rank", "width": 8, "rank": 2}, small), build({"name": "tensor", "width": 8}, small)
    beside = [torch.cat([low.factors[s].weight, low.factors[s].bias[:, None]], 1).unflatten(0, (2, 8)) for s in small]
    with torch.no_grad():
        full.mix.weight.copy_(torch.einsum("rda,rdb,rdc->dabc", *beside).flatten(1))
        full.mix.bias.copy_(low.bias)
    given = drawn(small)
    for present in (THREE, only("text", "audio"), only("image"), only()):
        torch.testing.assert_close(low(given, present), full(given, present))


def test_a_given_tensor_of_two_streams_is_low_rank_with_the_factors_of_its_decomposition() -> None:
    two = {"text": 3, "image": 5}
    full, low = build({"name": "tensor", "width": 8}, two), build({"name": "low_rank", "width": 8, "rank": 4}, two)
    left, strength, right = torch.linalg.svd(full.mix.weight.unflatten(1, (4, 6)), full_matrices=False)
    with torch.no_grad():
        for s, factor in (("text", left * strength.unsqueeze(1)), ("image", right.mT)):  # [D, D_s + 1, rank]
            rows = factor.permute(2, 0, 1).flatten(0, 1)
            low.factors[s].weight.copy_(rows[:, :-1])
            low.factors[s].bias.copy_(rows[:, -1])
        low.bias.copy_(full.mix.bias)
    given = drawn(two)
    for present in (THREE[:, :2], torch.tensor([[True, False]]).expand(5, 2)):
        torch.testing.assert_close(low(given, present), full(given, present))


def test_low_rank_begins_with_nothing_for_nobody_and_leaves_one_stream_s_map() -> None:
    mix, own = build("low_rank"), drawn()
    assert mix(own, only()).tolist() == torch.zeros(5, 64).tolist()
    text = own["text"] @ mix.factors["text"].weight.T
    torch.testing.assert_close(mix(own, only("text")), text.unflatten(1, (4, 64)).sum(1))


def test_a_scale_of_one_and_no_shift_leave_what_is_conditioned() -> None:
    mix, own = build("film"), drawn()
    image, audio = (mix.projected.project[s](own[s]) for s in ("image", "audio"))
    torch.testing.assert_close(mix(own, only("image")), image)  # without the stream that conditions
    for layer in (*mix.scale.values(), mix.shift):
        fill(layer, 0.0, 0.0)
    torch.testing.assert_close(mix(own, THREE), (image + audio) / 2)
    fill(mix.scale["image"], 0.0, 2.0)
    fill(mix.shift, 0.0, 5.0)
    torch.testing.assert_close(mix(own, THREE), (3 * image + audio) / 2 + 5)
    torch.testing.assert_close(mix(own, only("text")), torch.full((5, 64), 5.0))
    torch.testing.assert_close(mix(own, only("image")), image)


def test_the_stream_that_conditions_is_a_setting() -> None:
    mix, own = build({"name": "film", "condition": "image"}), drawn()
    assert set(mix.projected.project) == {"text", "audio"} and mix.shift.in_features == 12
    torch.testing.assert_close(mix(own, only("audio")), mix.projected.project["audio"](own["audio"]))
    assert build("film").condition == "text"
    with pytest.raises(UserError, match=r"film`: there is no stream `imagge` to condition the others; did you mean "):
        build({"name": "film", "condition": "imagge"})


def test_a_convolution_reads_a_stream_and_its_neighbours() -> None:
    mix, own = build("convolution"), drawn()
    row = [mix.projected.project[s](own[s]) for s in WIDTHS]
    before, here, after = mix.mix.weight.unbind(2)
    zero = torch.zeros_like(row[0])
    for present, seen in ((THREE, row), (only("text", "audio"), [row[0], zero, row[2]])):
        padded = [zero, *seen, zero]
        places = [padded[k] @ before.T + padded[k + 1] @ here.T + padded[k + 2] @ after.T + mix.mix.bias
                  for k in range(3)]
        torch.testing.assert_close(mix(own, present), sum(nn.functional.gelu(place) for place in places) / 3)
    assert build({"name": "convolution", "reach": 2}).mix.kernel_size == (5,)


@pytest.mark.parametrize("reach", [1, 2])
def test_the_product_that_a_convolution_is_made_as_gives_what_torch_s_convolution_does(reach: int) -> None:
    mix, own = build({"name": "convolution", "reach": reach}), drawn()
    present = torch.tensor([[True, True, True], [True, False, True]]).repeat(3, 1)[:5]
    found = mix(own, present)
    expected = nn.functional.gelu(mix.mix(mix.projected(own, present).transpose(1, 2))).mean(2)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    weights = list(mix.parameters())
    for one, other in zip(*(torch.autograd.grad(x.square().mean(), weights) for x in (found, expected)), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


def test_the_recurrent_unit_is_torch_s_and_skips_what_is_absent() -> None:
    mix, own = build("recurrent"), drawn()
    unit = nn.GRU(64, 64, batch_first=True)
    with torch.no_grad():
        for mine, theirs in ((mix.given, "ih"), (mix.again, "hh")):
            getattr(unit, f"weight_{theirs}_l0").copy_(mine.weight)
            getattr(unit, f"bias_{theirs}_l0").copy_(mine.bias)
    row = torch.stack([mix.projected.project[s](own[s]) for s in WIDTHS], 1)
    torch.testing.assert_close(mix(own, THREE), unit(row)[1][0])
    torch.testing.assert_close(mix(own, only("text", "audio")), unit(row[:, [0, 2]])[1][0])
    assert torch.equal(mix(own, only()), torch.zeros(5, 64))  # the state did not move
    mixed = torch.stack([THREE[0], only("image")[0], only("text", "image")[0], only()[0], THREE[0]])
    alone = torch.cat([mix({s: x[k: k + 1] for s, x in own.items()}, mixed[k: k + 1]) for k in range(5)])
    torch.testing.assert_close(mix(own, mixed), alone)


def test_a_gate_that_favours_nobody_gives_the_mean_of_the_experts_whose_streams_are_there() -> None:
    mix, own = build("experts"), drawn()
    assert mix.groups == [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
    fill(mix.gate, 0.0, 0.0)
    row = [mix.projected.project[s](own[s]) for s in WIDTHS]

    def expert(*group: int) -> torch.Tensor:
        return nn.functional.gelu(mix.experts[mix.groups.index(group)](torch.cat([row[k] for k in group], 1)))

    torch.testing.assert_close(mix(own, only("image")), expert(1))
    torch.testing.assert_close(mix(own, only("text", "audio")), (expert(0) + expert(2) + expert(0, 2)) / 3)
    torch.testing.assert_close(mix(own, THREE), sum(expert(*group) for group in mix.groups) / 7)
    with torch.no_grad():
        mix.gate.bias[mix.groups.index((0, 1))] = 100.0
    torch.testing.assert_close(mix(own, THREE), expert(0, 1))
    torch.testing.assert_close(mix(own, only("image")), expert(1))  # the favoured one is not ready


def test_experts_of_fewer_streams() -> None:
    assert build("experts", {"a": 8}).groups == [(0,)]
    assert build("experts", {"a": 8, "b": 8}).groups == [(0,), (1,), (0, 1)]
