"""Encoding once gives the same answers as encoding every time."""

import torch

from tests.evaluation import toys
from trivium import models
from trivium.data.store import Batch
from trivium.evaluation import encoded
from trivium.modalities.spec import Spec
from trivium.models.network import Ensemble, Unimodal

SPECS = {"text": Spec("text", "tokens", (6,), vocab=20), "image": Spec("image", "image", (1, 8, 8))}
SETTINGS = {"width": 16, "depth": 1, "text": "cnn", "image": "cnn", "audio": "cnn"}
generator = torch.Generator().manual_seed(0)
BATCH = Batch({"text": torch.randint(3, 20, (7, 6), generator=generator),
               "image": torch.randn(7, 1, 8, 8, generator=generator)},
              torch.tensor([[True, True]] * 5 + [[True, False], [False, True]]), torch.arange(7) % 4)


def test_a_fusion_answers_the_same() -> None:
    model = models.multimodal(SETTINGS, SPECS, 4, "attention", seed=0).eval()
    found = encoded.encode(model, BATCH, size=3)
    assert found.inputs["vectors"].shape == (7, 2, 16)
    torch.testing.assert_close(model(found.inputs, found.present), model(BATCH.inputs, BATCH.present))


def test_an_ensemble_answers_the_same() -> None:
    members = {m: Unimodal(models.encoder(SETTINGS, spec, 0), 4) for m, spec in SPECS.items()}
    for chosen in (("text", "image"), ("image",)):
        model = Ensemble({m: members[m] for m in chosen}, ("text", "image")).eval()
        found = encoded.encode(model, BATCH, size=3)
        assert encoded.readers(model) == chosen
        torch.testing.assert_close(model(found.inputs, found.present), model(BATCH.inputs, BATCH.present))


def test_cycles_leave_nobody_in_place_and_lose_nobody() -> None:
    orders = encoded.cycles(50, 4, seed=1)
    assert orders.shape == (4, 50)
    assert not (orders == torch.arange(50)).any()
    assert (orders.sort(1).values == torch.arange(50)).all()
    assert not torch.equal(orders[0], orders[1])
    assert torch.equal(orders, encoded.cycles(50, 4, seed=1))


def test_shuffling_takes_presence_along() -> None:
    model = toys.Toy(["text", "image"], lambda v: v["text"])
    batch = toys.batch(torch.zeros(3), text=torch.tensor([1.0, 2, 3]), image=torch.tensor([4.0, 5, 6]))
    batch.present[0, 1] = False
    found = encoded.shuffle(model, batch, ["image"], torch.tensor([2, 0, 1]))
    assert found.inputs["vectors"][:, :, 0].tolist() == [[1, 6], [2, 4], [3, 5]]
    assert found.present.tolist() == [[True, True], [True, False], [True, True]]
    assert batch.inputs["vectors"][0, 1] == 4 and not batch.present[0, 1]
