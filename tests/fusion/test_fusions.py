"""Every fusion: settings, shapes, widths that differ, and an absent stream that cannot be heard."""

from itertools import product
from typing import Any

import pytest
import torch
from torch import nn

from trivium import fusion
from trivium.settings.errors import UserError

EQUAL = {"text": 16, "image": 16, "audio": 16}
UNEQUAL = {"text": 16, "image": 24, "audio": 40}
EVERYTHING = torch.ones(4, 3, dtype=torch.bool)
SUBSETS = torch.tensor(list(product([False, True], repeat=3)))  # [8, 3]


def build(value: str | dict[str, Any], widths: dict[str, int]) -> nn.Module:
    torch.manual_seed(0)
    return fusion.build(fusion.chosen(value, "train.one.fusion"), widths)


def vectors(widths: dict[str, int]) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {s: torch.randn(4, width, generator=generator) for s, width in widths.items()}


@pytest.mark.parametrize("widths", [EQUAL, UNEQUAL], ids=["equal", "unequal"])
@pytest.mark.parametrize("name", fusion.names())
def test_an_absent_stream_changes_nothing(name: str, widths: dict[str, int]) -> None:
    mix, own = build(name, widths), vectors(widths)
    other = own | {"image": torch.full((4, widths["image"]), 100.0)}
    present = torch.tensor([[True, False, True]]).expand(4, 3)
    torch.testing.assert_close(mix(own, present), mix(other, present))
    assert mix(own, present).shape == (4, mix.width)
    assert not torch.allclose(mix(own, EVERYTHING), mix(other, EVERYTHING))


@pytest.mark.parametrize("widths", [EQUAL, UNEQUAL], ids=["equal", "unequal"])
@pytest.mark.parametrize("name", fusion.names())
def test_no_gradient_reaches_what_stands_for_an_absent_stream(name: str, widths: dict[str, int]) -> None:
    """In any subset of streams; and one reaches every stream that is there."""
    mix = build(name, widths)
    given = {s: torch.randn(8, width, requires_grad=True) for s, width in widths.items()}
    fused = mix(given, SUBSETS)
    fused.backward(torch.randn_like(fused))
    for k, x in enumerate(given.values()):
        assert x.grad is not None
        assert torch.equal(x.grad.abs().sum(1) > 0, SUBSETS[:, k])
        other = given | {list(widths)[k]: torch.where(SUBSETS[:, k: k + 1], x, 1e6)}
        assert torch.equal(mix(other, SUBSETS), fused)


@pytest.mark.parametrize("name", sorted({*fusion.names()} - {"attention", "concat", "plain"}))
def test_what_is_no_number_is_not_heard_either(name: str) -> None:
    mix, own = build(name, UNEQUAL), vectors(UNEQUAL)
    present = torch.tensor([[True, False, True]]).expand(4, 3)
    fused = mix(own | {"image": torch.full((4, 24), torch.nan)}, present)
    assert torch.equal(fused, mix(own, present))
    fused.square().sum().backward()
    assert all(weight.grad.isfinite().all() for weight in mix.parameters() if weight.grad is not None)


@pytest.mark.parametrize("name", fusion.names())
def test_the_same_seed_gives_the_same_bytes_and_a_sample_does_not_depend_on_its_batch(name: str) -> None:
    one, other, own = build(name, UNEQUAL), build(name, UNEQUAL), vectors(UNEQUAL)
    fused = one(own, EVERYTHING)
    assert torch.equal(fused, other(own, EVERYTHING)) and torch.equal(fused, one(own, EVERYTHING))
    alone = one({s: x[1:2] for s, x in own.items()}, EVERYTHING[:1])
    torch.testing.assert_close(alone, fused[1:2])
    one.load_state_dict(other.state_dict())  # what a model's file keeps


@pytest.mark.parametrize("name", fusion.names())
def test_one_stream_alone(name: str) -> None:
    mix, own = build(name, {"text": 24}), {"text": torch.randn(4, 24)}
    present = torch.tensor([[True], [True], [True], [False]])
    fused = mix(own, present)
    assert fused.shape == (4, mix.width) and fused.isfinite().all()
    assert not torch.equal(fused[0], fused[1])
    assert torch.equal(fused[3], mix({"text": own["text"] * 2}, present)[3])


@pytest.mark.parametrize("name", fusion.names())
def test_half_precision_as_on_a_gpu(name: str) -> None:
    mix, own = build(name, UNEQUAL), {s: x.requires_grad_() for s, x in vectors(UNEQUAL).items()}
    exact = mix(own, EVERYTHING)
    for given in (own, {s: x.bfloat16() for s, x in own.items()}):
        with torch.autocast("cpu", torch.bfloat16):
            fused = mix(given, EVERYTHING)
        torch.testing.assert_close(fused.float(), exact, atol=0.1, rtol=0.1)
        fused.float().sum().backward()


@pytest.mark.parametrize("name", fusion.names())
def test_a_fusion_is_built_without_numbers_where_only_its_settings_are_checked(name: str) -> None:
    with torch.device("meta"):
        build(name, UNEQUAL)


@pytest.mark.parametrize("name", fusion.names())
def test_streams_are_told_apart_by_their_names_not_by_the_order_of_the_dict(name: str) -> None:
    mix, own = build(name, UNEQUAL), vectors(UNEQUAL)
    backwards = dict(reversed(own.items()))
    assert torch.equal(mix(own, EVERYTHING), mix(backwards, EVERYTHING))


@pytest.mark.parametrize("name", ["attention", "concat"])
def test_equal_widths_need_no_projection(name: str) -> None:
    mix = build(name, EQUAL)
    assert mix.width == 16
    assert list(mix.aligned.parameters()) == []
    own = vectors(EQUAL)
    assert torch.equal(mix.aligned(own), torch.stack(list(own.values()), 1))


@pytest.mark.parametrize("name", ["attention", "concat"])
def test_unequal_widths_are_projected_to_64_and_to_what_is_asked_for(name: str) -> None:
    mix = build(name, UNEQUAL)
    assert mix.width == 64
    assert {key: tuple(value.shape) for key, value in mix.aligned.named_parameters()} == {
        "project.text.weight": (64, 16), "project.text.bias": (64,), "project.image.weight": (64, 24),
        "project.image.bias": (64,), "project.audio.weight": (64, 40), "project.audio.bias": (64,)}
    narrow = build({"name": name, "width": 24}, UNEQUAL)
    assert narrow.width == 24 and set(narrow.aligned.project) == {"text", "audio"}  # image has that width already
    assert narrow(vectors(UNEQUAL), EVERYTHING).shape == (4, 24)
    assert set(build({"name": name, "width": 32}, EQUAL).aligned.project) == {"text", "image", "audio"}


def test_a_missing_stream_is_replaced_by_what_was_learned_behind_the_projection() -> None:
    mix, own = build("concat", UNEQUAL), vectors(UNEQUAL)
    assert mix.missing.instead.shape == (3, 64) and not mix.missing.instead.any()
    present = torch.tensor([[True, False, True]]).expand(4, 3)
    tokens = mix.missing(mix.aligned(own), present)
    assert torch.equal(tokens[:, 0], mix.aligned.project["text"](own["text"])) and not tokens[:, 1].any()


def test_settings_are_filled_in() -> None:
    assert fusion.chosen("concat", "x") == {"name": "concat", "width": None}
    assert fusion.chosen({"name": "attention", "heads": 4}, "x") == {"name": "attention", "width": None, "heads": 4}


def test_heads() -> None:
    assert build({"name": "attention", "heads": 4}, EQUAL).heads == 4
    assert build("attention", EQUAL).heads == 1  # one per 16
    assert build("attention", UNEQUAL).heads == 4
    assert build("attention", dict.fromkeys(EQUAL, 40)).heads == 2  # the largest number up to 40 / 16 that divides 40
    with pytest.raises(UserError, match="with 5 heads needs a width that 5 divides; it is 16"):
        build({"name": "attention", "heads": 5}, EQUAL)


def test_heads_share_the_attention_and_absent_streams_get_none() -> None:
    mix, own = build({"name": "attention", "heads": 2}, EQUAL), vectors(EQUAL)
    present = torch.tensor([[True, False, True]]).expand(4, 3)
    shares = mix.attention(own, present)
    assert shares.shape == (4, 3) and not shares[:, 1].any() and (shares[:, [0, 2]] > 0).all()
    assert (shares.sum(1) < 1).all()  # the summary looks at itself as well


def test_the_fusions_there_are() -> None:
    assert {"attention", "concat", "convolution", "experts", "film", "gated", "low_rank", "plain", "pooling",
            "recurrent", "sum", "tensor", "weighted"} <= set(fusion.names()) and "base" not in fusion.names()


@pytest.mark.parametrize(("value", "says"), [
    ("concatt", r"`train\.one\.fusion`: there is no fusion `concatt`; did you mean `concat`"),
    ({"name": "attention", "haeds": 4}, r"unknown key `train\.one\.fusion\.haeds`; did you mean `heads`"),
    ({"name": "concat", "heads": 4}, r"unknown key `train\.one\.fusion\.heads`; known keys: width"),
    ({"name": "attention", "heads": 0}, r"`train\.one\.fusion\.heads` must be at least 1 \(got 0\)"),
    ({"heads": 4}, r"`train\.one\.fusion` is a name, or a mapping with the key `name`"),
    (None, r"`train\.one\.fusion` is a name, or a mapping with the key `name` \(got None\)"),
])
def test_what_is_wrong_is_named(value: Any, says: str) -> None:
    with pytest.raises(UserError, match=r"params\.yaml: " + says):
        fusion.chosen(value, "train.one.fusion")
