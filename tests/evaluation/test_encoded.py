"""Encoding once gives the same answers as encoding every time."""

import torch

from tests import networks
from tests.evaluation import toys
from trivium.data.store import Batch
from trivium.evaluation import encoded
from trivium.modalities.spec import Spec
from trivium.models.network import Ensemble, Unimodal

SPECS = {"text": Spec("text", "tokens", (6,), vocab=20), "image": Spec("image", "image", (1, 8, 8))}
generator = torch.Generator().manual_seed(0)
BATCH = Batch({"text": torch.randint(3, 20, (7, 6), generator=generator),
               "image": torch.randn(7, 1, 8, 8, generator=generator)},
              torch.tensor([[True, True]] * 5 + [[True, False], [False, True]]), torch.arange(7) % 4)


def test_a_fusion_answers_the_same() -> None:
    model = networks.multimodal(SPECS, 4, "attention").eval()
    found = encoded.encode(model, BATCH, size=3)
    assert {s: x.shape for s, x in found.inputs.items()} == {"text": (7, 16), "image": (7, 16)}
    torch.testing.assert_close(encoded.answer(model, found), model(BATCH.inputs, BATCH.present))


def test_an_ensemble_answers_the_same() -> None:
    members = {s: Unimodal(networks.encoder(spec), 4) for s, spec in SPECS.items()}
    for chosen in (("text", "image"), ("image",)):
        model = Ensemble({m: members[m] for m in chosen}, ("text", "image"), networks.task(4)).eval()
        found = encoded.encode(model, BATCH, size=3)
        assert encoded.readers(model) == chosen
        torch.testing.assert_close(encoded.answer(model, found), model(BATCH.inputs, BATCH.present))


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
    assert found.inputs["text"][:, 0].tolist() == [1, 2, 3]
    assert found.inputs["image"][:, 0].tolist() == [6, 4, 5]
    assert found.present.tolist() == [[True, True], [True, False], [True, True]]
    assert batch.inputs["image"][0] == 4 and not batch.present[0, 1]
