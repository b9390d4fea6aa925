"""Every fusion: settings, shapes, widths that differ, and an absent stream that cannot be heard."""

from typing import Any

import pytest
import torch
from torch import nn

from trivium import fusion
from trivium.settings.errors import UserError

EQUAL = {"text": 16, "image": 16, "audio": 16}
UNEQUAL = {"text": 16, "image": 24, "audio": 40}
EVERYTHING = torch.ones(4, 3, dtype=torch.bool)


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
    assert {"attention", "concat"} <= set(fusion.names()) and "base" not in fusion.names()


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
