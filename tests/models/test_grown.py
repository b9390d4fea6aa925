import torch

from tests import networks
from trivium.modalities.spec import Spec
from trivium.models import grown
from trivium.models.network import Ensemble, Unimodal

SPECS = {"photo": Spec("photo", "image", (1, 8, 8), modality="image")}


def test_old_rows_of_a_head_keep_their_bits_and_so_do_their_outputs():
    model = networks.multimodal(SPECS, 3)
    weight, bias = model.head.weight.clone(), model.head.bias.clone()
    x, there = {"photo": torch.randn(4, 1, 8, 8)}, torch.ones(4, 1, dtype=torch.bool)
    before = model.outputs(model.vectors(x), there)
    grown.grow(model, networks.task(5), seed=1)
    assert model.head.weight.shape[0] == 5 == model.task.outputs
    assert torch.equal(model.head.weight[:3], weight) and torch.equal(model.head.bias[:3], bias)
    assert torch.allclose(model.outputs(model.vectors(x), there)[:, :3], before, atol=1e-6)
    assert model.head.weight[3:].abs().sum() > 0


def test_new_rows_depend_on_the_seed_alone_and_without_any_the_head_stays():
    head = torch.nn.Linear(4, 2)
    one, again, other = (grown.wider(head, 3, seed, "head") for seed in (0, 0, 1))
    assert torch.equal(one.weight, again.weight) and not torch.equal(one.weight[2], other.weight[2])
    assert grown.wider(head, 2, 0, "head") is head


def test_every_member_of_an_ensemble_grows():
    members = {"photo": Unimodal(networks.encoder(SPECS["photo"]), 2)}
    model = Ensemble(members, ("photo",), networks.task(2))
    old = members["photo"].head.weight.clone()
    grown.grow(model, networks.task(3), seed=0)
    assert model.members["photo"].head.weight.shape[0] == 3
    assert torch.equal(model.members["photo"].head.weight[:2], old)
