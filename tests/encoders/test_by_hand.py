"""What each architecture is said to do, on small examples: by hand, or by an identity that holds for every input."""

from typing import Any

import pytest
import torch
from torch import nn

from tests import networks
from trivium import encoders, models, objectives
from trivium.data.store import Batch
from trivium.encoders import convnext, recurrent, resnet, static, textcnn
from trivium.encoders.base import Drop, Encoder
from trivium.modalities.spec import Spec
from trivium.models import lora, upper
from trivium.settings.errors import UserError
from trivium.training import budget

TEXT = Spec("text", "tokens", (8,), vocab=20)
IMAGE = Spec("image", "image", (3, 12, 10))
AUDIO = Spec("audio", "spectrogram", (1, 10, 21))
WAVE = Spec("audio", "waveform", (1, 200))
LONG = Spec("text", "tokens", (12,), vocab=20)
READ = [("recurrent", TEXT), ("recurrent", AUDIO), ("textcnn", TEXT), ("static", TEXT), ("resnet", IMAGE),
        ("resnet", AUDIO), ("convnext", IMAGE), ("convnext", AUDIO), ("convnext", WAVE)]
ROWS = ("recurrent", "resnet", "convnext")  # have blocks, one behind the other


def made(name: str, spec: Spec, **settings: Any) -> Encoder:
    part = {"recurrent": recurrent, "textcnn": textcnn, "static": static, "resnet": resnet, "convnext": convnext}[name]
    with models.drawn(0, "encoder"):
        return part.build(spec, part.Settings(width=16, **settings)).eval()


def example(spec: Spec, samples: int = 3) -> torch.Tensor:
    draw = torch.Generator().manual_seed(1)
    if spec.kind != "tokens":
        return torch.randn(samples, *spec.shape, generator=draw)
    x = torch.randint(3, spec.vocab, (samples, *spec.shape), generator=draw)
    x[0, 5:] = 0
    return x


def awake(encoder: Encoder) -> Encoder:
    """With random weights where it starts at zero."""
    torch.manual_seed(0)
    for weight in encoder.parameters():
        if not weight.any():
            nn.init.normal_(weight, std=0.3)
    return encoder


@pytest.mark.parametrize(("name", "spec"), READ, ids=lambda one: getattr(one, "kind", one))
def test_a_sample_is_heard_by_itself_and_the_same_twice(name: str, spec: Spec) -> None:
    encoder, x = awake(made(name, spec).train()), example(spec)
    again = awake(made(name, spec))
    vectors = encoder(x)
    assert torch.equal(again(x), vectors)
    for k in range(len(x)):
        torch.testing.assert_close(encoder(x[k: k + 1])[0], vectors[k], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "spec"), READ, ids=lambda one: getattr(one, "kind", one))
def test_a_token_for_each_patch_learns_from_what_is_hidden(name: str, spec: Spec) -> None:
    encoder = made(name, spec)
    objective = objectives.build(objectives.chosen("masked", "objective"), {spec.name: encoder}, (spec.name,),
                                 networks.task(3))
    x = example(spec)
    assert encoder.tokens(x).shape == (3, objective.count, 16)
    batch = Batch({spec.name: x}, torch.ones(3, 1, dtype=torch.bool), torch.zeros(3, dtype=torch.int64))
    optimizer, losses = torch.optim.Adam(objective.parameters(), 0.01), []
    for _ in range(40):
        loss = objective.loss(batch, torch.Generator().manual_seed(0))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize(("name", "spec"), READ, ids=lambda one: getattr(one, "kind", one))
def test_the_counters_know_every_operator(name: str, spec: Spec) -> None:
    encoder = made(name, spec)
    x = budget.inputs({spec.name: spec})[spec.name]
    counted = budget.counted(lambda: encoder(x).square().sum(), module=encoder)
    encoder.zero_grad()
    assert counted == budget.analytic(encoder, lambda: encoder(x).square().sum())
    assert bool(counted) == (name != "static")  # which only looks up


@pytest.mark.parametrize("name", ["recurrent", "textcnn", "static"])
def test_padding_is_not_heard(name: str) -> None:
    """Behind a text, before it, or both: its vector is the same, and that of padding never learns."""
    short, long = made(name, TEXT), made(name, LONG)
    words = torch.tensor([[5, 6, 7, 8, 9]])
    expected = short(nn.functional.pad(words, (0, 3)))
    for before, after in ((0, 7), (3, 4), (7, 0)):
        torch.testing.assert_close(long(nn.functional.pad(words, (before, after))), expected)
    assert made(name, TEXT)(torch.zeros(1, 8, dtype=torch.int64)).abs().max() == 0
    long(nn.functional.pad(words, (0, 7))).square().sum().backward()
    assert long.get_parameter("stem.weight" if name == "recurrent" else "embed.weight").grad[0].abs().max() == 0


@pytest.mark.parametrize(("name", "spec"), READ, ids=lambda one: getattr(one, "kind", one))
def test_low_rank_updates_and_the_last_blocks_alone(name: str, spec: Spec) -> None:
    encoder, x = awake(made(name, spec, **({"depth": 3} if name in ROWS else {}))), example(spec)
    before, keys = encoder(x), list(encoder.state_dict())
    above = upper.of(encoder, 1)
    assert (above is not None) == (name in ROWS)
    if above is not None:
        torch.testing.assert_close(above(above.below(x)), before)
    assert (lora.add(encoder, rank=2, blocks=2) > 0) == (name != "static")  # which has no linear map
    assert torch.equal(encoder(x), before)
    lora.merge(encoder)
    assert torch.equal(encoder(x), before) and list(encoder.state_dict()) == keys


def test_static_is_the_mean_of_the_words() -> None:
    encoder = made("static", TEXT)
    weight = encoder.get_parameter("embed.weight")
    x = torch.tensor([[3, 5, 5, 7, 0, 0, 0, 0], [4, 0, 0, 0, 0, 0, 0, 0], [7, 5, 3, 5, 0, 0, 0, 0]])
    expected = torch.stack([(weight[3] + 2 * weight[5] + weight[7]) / 4, weight[4]])
    torch.testing.assert_close(encoder(x)[:2], expected)
    torch.testing.assert_close(encoder(x)[2], expected[0])  # in any order


def test_textcnn_finds_phrases_wherever_they_stand() -> None:
    """Two phrases may change places where nothing else is near; words inside a phrase may not."""
    encoder = made("textcnn", LONG)
    a, b, gap = [5, 6, 7], [8, 9, 4], [0, 0, 0]
    one, other, turned = (torch.tensor([row]) for row in ([*a, *gap, *b, *gap], [*b, *gap, *a, *gap],
                                                          [7, 6, 5, *gap, *b, *gap]))
    torch.testing.assert_close(encoder(one), encoder(other))
    assert not torch.allclose(encoder(one), encoder(turned), atol=1e-3)


def test_textcnn_by_hand() -> None:
    """The first phrase of three words, at the second token: what is behind the weights of its three places."""
    encoder = made("textcnn", TEXT)
    x = torch.tensor([[5, 6, 7, 8, 9, 3, 4, 5]])
    words, look = encoder.embed(x)[0], encoder.look["3"]
    expected = sum(look.weight[:, :, k] @ words[k] for k in range(3)) + look.bias
    found = encoder.tokens(x)[0, :, : len(look.bias)]
    torch.testing.assert_close(found[1], expected.relu())
    torch.testing.assert_close(encoder(x)[0, : len(look.bias)], found.amax(0))
    assert [len(look.bias) for look in encoder.look.values()] == [6, 5, 5]
    assert (encoder.tokens(x) >= 0).all()


def test_a_unit_is_the_one_of_torch_and_stands_still_on_padding() -> None:
    torch.manual_seed(0)
    unit, known = recurrent.Unit(6, 4), nn.GRU(6, 4, batch_first=True)
    for ours, theirs in ((unit.given, "ih"), (unit.again, "hh")):
        ours.weight.data = getattr(known, f"weight_{theirs}_l0").data
        ours.bias.data = getattr(known, f"bias_{theirs}_l0").data
    tokens = torch.randn(2, 5, 6)
    torch.testing.assert_close(unit(tokens, None), known(tokens)[0])
    there = torch.tensor([[True, True, False, False, True], [False, True, True, True, True]])
    states = unit(tokens, there)
    assert torch.equal(states[0, 1], states[0, 2]) and torch.equal(states[0, 1], states[0, 3])
    assert states[1, 0].tolist() == [0.0] * 4
    torch.testing.assert_close(states[0, 4], known(tokens[:1, [0, 1, 4]])[0][0, 2])
    torch.testing.assert_close(states[1, 1:], known(tokens[1:, 1:])[0][0])


def test_reversed_tokens_swap_the_directions() -> None:
    layer = recurrent.Layer(8)
    layer.back.load_state_dict(layer.ahead.state_dict())
    tokens = torch.randn(2, 5, 8)
    there = torch.tensor([[True, True, True, False, False], [True] * 5])
    ahead, back = layer(tokens, there).chunk(2, 2)
    other_ahead, other_back = layer(tokens.flip(1), there.flip(1)).chunk(2, 2)
    torch.testing.assert_close(other_ahead.flip(1), back)
    torch.testing.assert_close(other_back.flip(1), ahead)
    assert not torch.allclose(ahead, back)


def test_both_ends_of_a_sound_are_heard_everywhere() -> None:
    encoder, x = made("recurrent", AUDIO), example(AUDIO)
    for frame, token in ((0, -1), (20, 0)):
        other = x.clone()
        other[..., frame] += 5
        assert not torch.allclose(encoder.tokens(other)[:, token], encoder.tokens(x)[:, token], atol=1e-4)


def test_residual_blocks_change_nothing_at_first() -> None:
    encoder = made("resnet", IMAGE, depth=3)
    x = torch.randn(2, 4, 6, 5)
    assert torch.equal(encoder.blocks[0](x), x)
    assert not torch.equal(awake(encoder).blocks[0](x), x)
    narrow = resnet.Block(4, 8, (2, 1), Drop())
    torch.testing.assert_close(narrow(x), narrow.past(x))  # another shape: the 1 x 1 convolution alone
    assert narrow(x).shape == (2, 8, 3, 5)


@pytest.mark.parametrize(("spec", "tokens"), [(IMAGE, 30), (Spec("image", "image", (1, 32, 32)), 64), (AUDIO, 6),
                                              (Spec("image", "image", (3, 65, 65)), 81),
                                              (Spec("audio", "spectrogram", (1, 1, 9)), 3),
                                              (Spec("audio", "spectrogram", (1, 40, 4000)), 63)])
def test_a_residual_network_shrinks_a_picture_to_its_tokens(spec: Spec, tokens: int) -> None:
    """However far it steps, the first token hears every number of its patch."""
    encoder = awake(made("resnet", spec))
    x = example(spec, 1).requires_grad_()
    found = encoder.tokens(x)
    assert found.shape == (1, tokens, 16)
    (found[0, 0] * torch.arange(16.0)).sum().backward()
    height, width = encoder.patch
    assert x.grad[0, :, :height, :width].all()


def test_a_block_of_convnext_by_hand() -> None:
    """In the middle of a row: 7 places of each channel, then the perceptron, beside what came in."""
    block, tokens = convnext.Block(8, (1, 9), Drop()), torch.randn(2, 9, 8)
    weight, bias = block.around.weight[:, 0], block.around.bias
    around = (tokens[:, 1:8] * weight.T).sum(1) + bias
    inner = block.up(nn.functional.layer_norm(around, (8,)))
    assert inner.shape == (2, 32)
    torch.testing.assert_close(block(tokens)[:, 4], tokens[:, 4] + block.down(nn.functional.gelu(inner)))


def test_a_channel_of_convnext_looks_by_itself() -> None:
    block, tokens = convnext.Block(8, (4, 5), Drop()), torch.randn(1, 20, 8)
    seen: list[torch.Tensor] = []
    block.around.register_forward_hook(lambda *parts: seen.append(parts[2]))
    block(tokens)
    tokens[..., 3] += 1
    block(tokens)
    moved = (seen[0] - seen[1]).abs().amax((0, 2, 3)) > 0
    assert moved.tolist() == [k == 3 for k in range(8)]


@pytest.mark.parametrize(("entry", "says"), [
    ({"modality": "text", "architecture": "resnet"}, "`resnet` reads image or spectrogram, not text."),
    ({"modality": "image", "architecture": "recurrent"}, "`recurrent` reads text or spectrogram, not image."),
    ({"modality": "audio", "architecture": "static"}, "`static` reads text, not audio as spectrogram."),
    ({"modality": "audio", "architecture": "resnet", "processor": {"features": "waveform"}},
     "`resnet` reads image or spectrogram, not audio as waveform."),
    ({"modality": "table", "architecture": "textcnn"}, "`textcnn` cannot read table; cells or ft_transformer or mlp "),
    ({"modality": "text", "architecture": "recurrent", "width": 9}, "`encoder.one.width`"),
])
def test_what_an_architecture_cannot_read_is_told(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError) as told:
        encoders.describe("one", entry)
    assert says in str(told.value) and "\n" not in str(told.value)
