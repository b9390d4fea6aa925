"""Adapters: nothing changes at step 0, they are a part of the encoder, and a loaded model has them again."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch

from tests import networks
from trivium import fusion, models
from trivium.modalities.spec import Spec
from trivium.models import adapters, files, upper

IMAGE = Spec("image", "image", (1, 8, 8), modality="image")
TEXT = Spec("text", "tokens", (6,), vocab=20, modality="text")
X = {"image": torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)),
     "text": torch.tensor([[3, 4, 5, 0, 0, 0], [6, 7, 8, 9, 0, 0]])}


@pytest.mark.parametrize(("spec", "kind", "places"), [
    (IMAGE, "cnn", 2), (IMAGE, "transformer", 2), (IMAGE, "resnet", 2), (TEXT, "cnn", 2), (TEXT, "transformer", 2),
    (TEXT, "recurrent", 2), (TEXT, "textcnn", 1),  # the last one has no blocks
], ids=lambda value: value if isinstance(value, str) else "")
def test_at_step_0_nothing_changes_and_later_it_does(spec: Spec, kind: str, places: int) -> None:
    width = {} if kind == "textcnn" else {"depth": 3}
    own = models.encoder(networks.described(spec, kind, **width) if width else _without_depth(spec), spec, 0).eval()
    before = own(X[spec.name])
    names = list(own.state_dict())
    assert adapters.add(own, width=4, blocks=2) == places
    assert torch.equal(own(X[spec.name]), before)
    kept = list(own.state_dict())
    assert kept[: len(names)] == names and all(".adapters." in f".{name}" for name in kept[len(names):])
    own(X[spec.name]).square().sum().backward()
    assert all(one.up.weight.grad.abs().sum() > 0 for one in own.adapters.values())
    for one in own.adapters.values():
        torch.nn.init.normal_(one.up.weight)
    assert not torch.allclose(own(X[spec.name]), before)


def _without_depth(spec: Spec) -> models.build.Described:
    from trivium.encoders import Described

    return Described(spec.modality, "textcnn", "", (spec.modality, {}), {"width": 16})


def test_a_place_becomes_what_the_bottleneck_adds_to_it() -> None:
    one = adapters.Adapter(2, 1, axis=-1)
    with torch.no_grad():
        for weight, value in ((one.down.weight, [[1.0, 1.0]]), (one.down.bias, [0.0]),
                              (one.up.weight, [[2.0], [0.0]]), (one.up.bias, [0.0, 5.0])):
            weight.copy_(torch.tensor(value))
    gelu = 3 * 0.9986501  # 3 times the normal distribution at 3
    assert one(torch.tensor([[1.0, 2.0]])).flatten().tolist() == pytest.approx([1 + 2 * gelu, 7])
    one.axis = 1
    assert one(torch.tensor([1.0, 2.0]).view(1, 2, 1, 1)).flatten().tolist() == pytest.approx([1 + 2 * gelu, 7])


def test_a_copy_has_adapters_of_its_own() -> None:
    own = networks.encoder(IMAGE, depth=2).eval()
    adapters.add(own, 4, 1)
    copy = deepcopy(own)
    torch.nn.init.normal_(copy.adapters["0"].up.weight)
    assert not torch.allclose(copy(X["image"]), own(X["image"]))
    assert not own.adapters["0"].up.weight.any()


def test_blocks_below_them_can_be_passed_over() -> None:
    """As for low-rank updates: their states are made once per sample."""
    own = networks.encoder(IMAGE, "transformer", depth=3).eval()
    adapters.add(own, 4, 2)
    for one in own.adapters.values():
        torch.nn.init.normal_(one.up.weight)
    part = upper.of(own, 2)
    assert part is not None
    torch.testing.assert_close(part(part.below(X["image"])), own(X["image"]))


def test_a_model_is_saved_and_loaded_with_them(tmp_path) -> None:  # type: ignore[no-untyped-def]
    parts, specs = {"image": networks.encoder(IMAGE, depth=2)}, {"image": IMAGE}
    with models.drawn(1, "adapters"):
        adapters.add(parts["image"], 4, 2)
    for one in parts["image"].adapters.values():
        torch.nn.init.normal_(one.up.weight, generator=torch.Generator().manual_seed(1))
    model = models.multimodal(parts, networks.task(3), fusion.chosen("plain", "fusion"), 0).eval()
    about = files.describe("fusion", {"image": networks.described(IMAGE, depth=2)}, specs, model.task,
                           fusion={"name": "plain"}, adapters={"width": 4, "blocks": 2})
    models.save(model, about, tmp_path / "model")
    there = torch.ones(2, 1, dtype=torch.bool)
    torch.testing.assert_close(models.load(tmp_path / "model")(X, there), model(X, there))
    parts["image"].adapters["0"].up.weight.data.zero_()
    assert not torch.allclose(models.load(tmp_path / "model")(X, there), model(X, there))
