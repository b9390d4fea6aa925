"""Dropout and stochastic depth of the small encoders: nothing at rest, and nothing at rates of 0."""

import pytest
import torch

from tests.test_shapes import SAMPLES, called, example, made, spec
from trivium import encoders, modalities
from trivium.encoders import Described, describe
from trivium.encoders.base import Drop, Encoder
from trivium.settings.errors import UserError

RATES = {"dropout": 0.5, "drop_path": 0.9}


def able() -> list[tuple[str, Described]]:
    """Every architecture that has one of the settings, on one modality, and that setting."""
    found = []
    for name in encoders.names():
        for rate in RATES:
            for modality in modalities.names():
                try:
                    entry = {"modality": modality, "architecture": name, rate: RATES[rate]}
                    found.append((rate, describe("one", entry)))
                    break
                except UserError:
                    continue
    return found


ABLE = able()


def test_which_architectures_have_them() -> None:
    each = {rate: sorted(one.architecture for own, one in ABLE if own == rate) for rate in RATES}
    residual = ["cnn", "convnext", "ft_transformer", "resnet", "transformer"]
    assert each == {"drop_path": residual, "dropout": sorted([*residual, "mlp", "recurrent", "textcnn"])}


def output(encoder: Encoder, x: torch.Tensor, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    with torch.no_grad():
        return encoder(x)


@pytest.mark.parametrize(("rate", "described"), ABLE, ids=[f"{called(one)}-{rate}" for rate, one in ABLE])
def test_they_change_training_and_nothing_at_rest(rate: str, described: Described) -> None:
    settings = {key: value for key, value in described.settings.items() if key != rate}
    plain = made(Described(described.modality, described.architecture, "", described.processor, settings))
    dropping, x = made(described), example(spec(described))
    if described.architecture == "resnet":  # what its blocks add starts at zero
        for encoder in (plain, dropping):
            for block in encoder.blocks:  # type: ignore[union-attr]
                torch.nn.init.ones_(block.second.weight)
    rest = output(plain.eval(), x)
    assert torch.equal(output(dropping.eval(), x), rest) and len(rest) == SAMPLES
    assert torch.equal(output(plain.train(), x), rest)
    trained = output(dropping.train(), x)
    assert not torch.equal(trained, rest) and torch.equal(output(dropping, x), trained)
    assert not torch.equal(output(dropping, x, seed=1), trained)


def test_what_is_dropped_is_made_up_for() -> None:
    x = torch.ones(4000, 5)
    torch.manual_seed(0)
    found = Drop(path=0.25).train()(x)
    assert torch.equal(found, found[:, :1].expand_as(found))  # a sample is passed over as a whole
    assert sorted(set(found[:, 0].tolist())) == pytest.approx([0, 4 / 3])
    assert found.mean().item() == pytest.approx(1, abs=0.03)
    assert Drop(0.5).train()(x).mean().item() == pytest.approx(1, abs=0.03)
    before = torch.get_rng_state()
    assert Drop().train()(x) is x and torch.equal(torch.get_rng_state(), before)


def test_later_blocks_are_passed_over_more_often() -> None:
    encoder = made(describe("one", {"modality": "image", "architecture": "cnn", "depth": 4, "drop_path": 0.4}))
    assert [block.drop.path for block in encoder.blocks] == pytest.approx([0.1, 0.2, 0.3, 0.4])  # type: ignore[union-attr]


def test_an_encoder_without_is_said_to_be_as_it_ever_was() -> None:
    """What stands in data/reads and in models, byte by byte."""
    entry = {"modality": "text", "architecture": "cnn", "width": 16}
    assert describe("one", entry).settings == {"width": 16, "depth": 2}
    assert describe("one", entry | {"dropout": 0.0, "drop_path": 0}) == describe("one", entry)
    assert describe("one", entry | {"dropout": 0.1}).settings == {"width": 16, "depth": 2, "dropout": 0.1}
    for key, words in (("drop_out", "`encoder.one.drop_out`; did you mean `dropout`?"),):
        with pytest.raises(UserError) as caught:
            describe("one", entry | {key: 0.1})
        assert words in str(caught.value)
    with pytest.raises(UserError, match="`encoder.one.dropout` must be below 1"):
        describe("one", entry | {"dropout": 1})
    with pytest.raises(UserError, match="unknown key `encoder.one.drop_path`"):
        describe("one", {"modality": "text", "architecture": "textcnn", "drop_path": 0.1})
