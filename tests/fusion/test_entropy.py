"""The fusion that asks the model's own head how sure it is; and learned vectors in place of streams that are absent."""

from __future__ import annotations

import math
from copy import deepcopy

import pytest
import torch

from tests import networks
from trivium import fusion, models
from trivium.modalities.spec import Spec

SPECS = {s: Spec(s, "image", (1, 8, 8), modality="image") for s in ("photo", "scan")}
BOTH, ONE = torch.tensor([[True, True]]), torch.tensor([[True, False]])


def test_a_stream_counts_the_more_the_surer_the_head_is_of_it() -> None:
    """Of two classes, the first stream says (1/2, 1/2), an entropy of ln 2, the second (.9, .1), one of .325."""
    model = networks.multimodal(SPECS, 2, "entropy")
    with torch.no_grad():
        model.head.weight.zero_()[0, 0] = 1.0
        model.head.bias.zero_()
    vectors = {s: torch.zeros(1, 16) for s in SPECS}
    vectors["scan"][0, 0] = math.log(9)
    unsure, sure = math.exp(-math.log(2)), math.exp(-0.3250830)
    assert model.fusion(vectors, BOTH)[0, 0].item() == pytest.approx(math.log(9) * sure / (sure + unsure), rel=1e-5)
    assert model.fusion(vectors, ONE)[0, 0].item() == 0
    assert not model.fusion(vectors, torch.zeros_like(BOTH)).any()
    alone = fusion.build({"name": "entropy", "width": None}, {s: 16 for s in SPECS})
    assert alone(vectors, BOTH)[0, 0].item() == pytest.approx(math.log(9) / 2)  # of no model: all count the same


def test_the_head_belongs_to_the_model_and_a_copy_asks_its_own() -> None:
    model = networks.multimodal(SPECS, 2, "entropy")
    assert not [name for name in model.state_dict() if name.startswith("fusion.")]
    copy = deepcopy(model)
    with torch.no_grad():
        copy.head.weight.zero_()
        copy.head.bias.zero_()
    vectors = {"photo": torch.randn(4, 16), "scan": torch.randn(4, 16)}
    there = torch.ones(4, 2, dtype=torch.bool)
    torch.testing.assert_close(copy.fusion(vectors, there), (vectors["photo"] + vectors["scan"]) / 2)
    assert not torch.allclose(model.fusion(vectors, there), copy.fusion(vectors, there))


def test_a_stand_in_is_heard_in_place_of_what_is_absent() -> None:
    chosen = fusion.chosen({"name": "sum", "stand_in": True}, "fusion")
    assert chosen == {"name": "sum", "width": None, "stand_in": True}
    assert fusion.chosen("sum", "fusion") == {"name": "sum", "width": None}
    model = models.multimodal(networks.encoders(SPECS), networks.task(2), chosen, 0)
    torch.nn.init.constant_(model.fusion.instead["scan"], 3.0)
    vectors = {"photo": torch.randn(1, 16), "scan": torch.randn(1, 16)}
    other = vectors | {"scan": torch.full((1, 16), 3.0)}
    assert torch.equal(model.fusion(vectors, ONE), model.fusion.mix(other, BOTH))
    assert torch.equal(model.fusion(vectors, BOTH), model.fusion.mix(vectors, BOTH))
    model.fusion(vectors, ONE).sum().backward()
    assert model.fusion.instead["scan"].grad.abs().sum() > 0
    whole = torch.randn(1, 4, 17)  # a vector and three tokens
    heard = model.fusion._heard(whole, model.fusion.instead["scan"], torch.tensor([False]))
    assert heard[0, 0].tolist() == [3.0] * 16 + [1.0] and not heard[0, 1:].any()


def test_a_stand_in_is_there_or_not() -> None:
    with pytest.raises(models.files.UserError, match=r"`train\.own\.fusion\.stand_in` must be true or false"):
        fusion.chosen({"name": "sum", "stand_in": "learned"}, "train.own.fusion")
