"""Mixup: samples between two, in all streams at once, and a loss that is partly one's and partly the other's."""

from pathlib import Path

import pytest
import torch
from pytest import MonkeyPatch

from tests import networks
from tests.training import tiny
from trivium.data.store import Batch
from trivium.modalities.spec import Spec
from trivium.objectives.network.dgl import Decoupled
from trivium.objectives.network.joint import Joint
from trivium.objectives.supervised import Supervised
from trivium.training import mixup

SPECS = {"text": Spec("text", "tokens", (8,), vocab=20), "image": Spec("image", "image", (1, 8, 8))}


def batch(size: int = 6) -> Batch:
    draw = torch.Generator().manual_seed(0)
    present = torch.ones(size, 2, dtype=torch.bool)
    present[1, 0] = present[4, 1] = False
    return Batch({"text": torch.randint(3, 20, (size, 8), generator=draw),
                  "image": torch.randn(size, 1, 8, 8, generator=draw)}, present, torch.arange(size) % 3)


class Known:
    """A model whose vectors are the inputs."""

    streams = ("text", "image")

    @staticmethod
    def read(batch: Batch) -> dict[str, torch.Tensor]:
        return batch.inputs


def test_one_share_and_one_order_of_partners_hold_for_all_streams() -> None:
    """Vectors that are the sample's number: a mixed one is share x k + (1 - share) x partner in both streams."""
    numbers = torch.arange(6.0).unsqueeze(1)
    given = Batch({"text": numbers, "image": 10 * numbers}, torch.ones(6, 2, dtype=torch.bool), torch.arange(6))
    found = mixup.mixed(Known, given, torch.Generator().manual_seed(3), alpha=1.0)
    assert found.encoded and len(found) == 12 and torch.equal(found.y[:6], torch.arange(6))
    assert found.weight is not None
    share, partner = found.weight[0], found.y[6:]
    assert 0.05 < share < 0.95 and sorted(partner.tolist()) == list(range(6)) != partner.tolist()
    torch.testing.assert_close(found.weight, torch.cat([share.expand(6), 1 - share.expand(6)]))
    expected = share * torch.arange(6.0) + (1 - share) * partner
    for half in (slice(0, 6), slice(6, 12)):
        torch.testing.assert_close(found.inputs["text"][half, 0], expected)
        torch.testing.assert_close(found.inputs["image"][half, 0], 10 * expected)
    again = mixup.mixed(Known, given, torch.Generator().manual_seed(3), alpha=1.0)
    assert torch.equal(again.inputs["text"], found.inputs["text"])


def test_a_stream_that_one_of_two_lacks_is_the_others() -> None:
    own, other = torch.tensor([[1.0], [2.0], [3.0], [4.0]]), torch.tensor([[10.0], [20.0], [30.0], [40.0]])
    here, there = torch.tensor([True, True, False, False]), torch.tensor([True, False, True, False])
    assert mixup.between(own, other, here, there, 0.75)[:3, 0].tolist() == [3.25, 2.0, 30.0]
    shares = torch.tensor([0.5, 0.1, 0.1, 0.1])
    assert mixup.between(own, other, here, there, shares)[:3, 0].tolist() == [5.5, 2.0, 30.0]
    given = Batch({"text": own, "image": own}, torch.tensor([[True, False], [False, True], [True, True], [True, True]]),
                  torch.arange(4))
    found = mixup.mixed(Known, given, torch.Generator().manual_seed(0), alpha=1.0)
    partner = found.y[4:]
    assert torch.equal(found.present[:4], given.present | given.present[partner])


def test_tokens_are_mixed_where_both_have_one() -> None:
    """[B, 1 + T, D + 1]: the vector first; the last number says whether there is a token."""
    own = torch.tensor([[[1.0, 1], [2, 1], [3, 1]]])
    other = torch.tensor([[[11.0, 1], [12, 1], [0, 0]]])
    one = torch.tensor([True])
    assert mixup.between(own, other, one, one, 0.5).tolist() == [[[6.0, 1], [7, 1], [3, 1]]]
    assert mixup.between(other, own, one, one, 0.5).tolist() == [[[6.0, 1], [7, 1], [3, 1]]]
    assert mixup.between(own, other, ~one, one, 0.5).tolist() == other.tolist()


@pytest.mark.parametrize("made", [
    lambda: Joint(networks.multimodal(SPECS, 3)), lambda: Decoupled(networks.multimodal(SPECS, 3)),
    lambda: Supervised(networks.encoder(SPECS["image"]), networks.task(3))])
def test_the_loss_is_that_of_both_labels(made) -> None:
    """lambda L(y) + (1 - lambda) L(y'), by two calls on the mixed vectors; without mixup it is the objective's own."""
    torch.manual_seed(0)
    objective, given = made().eval(), batch()
    plain = objective.loss(given, torch.Generator())
    assert mixup.loss(objective, given, torch.Generator(), 0.0).item() == plain.item()
    found = mixup.loss(objective, given, torch.Generator().manual_seed(5), 1.0).item()
    both = mixup.mixed(objective.model, given, torch.Generator().manual_seed(5), 1.0)
    share = both.weight[0].item()
    first, second = (objective.loss(Batch(half.inputs, half.present, half.y, encoded=True), torch.Generator()).item()
                     for half in (both[:6], both[6:]))
    assert found == pytest.approx(share * first + (1 - share) * second, rel=1e-5) and abs(found - plain.item()) > 1e-3


def test_a_run_with_mixup_is_another_one_and_pays_for_both_labels(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """Fusion and head read every sample twice."""
    from tests.training.test_fused import JOINT, project, train

    project(tmp_path, monkeypatch)
    (plain, _), (mixed, one), (_, two) = (
        train(JOINT, name=name, mixup=alpha) for name, alpha in (("plain", 0.0), ("mixed", 0.4), ("again", 0.4)))
    assert plain.history[0] == mixed.history[0] and plain.history[-1].train_loss != mixed.history[-1].train_loss
    assert mixed.flops.train == mixed.history[-1].step * 4 * (tiny.ALL + tiny.TOP)
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))
