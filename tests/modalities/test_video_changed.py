"""Video that is augmented, corrupted, and said in simple numbers."""

import numpy as np
import pytest
import torch

from tests import clips
from trivium.modalities import video
from trivium.modalities.augmented import video as augmented
from trivium.modalities.processors import hog, motion
from trivium.modalities.videos import worse

SPEC = video.spec(video.Settings(frames=6, size=8, channels=1))


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ramp() -> torch.Tensor:
    """[2, 1, 6, 8, 8]: frame t is t everywhere."""
    return torch.arange(6.0).view(1, 1, 6, 1, 1).expand(2, 1, 6, 8, 8).clone()


def test_all_frames_are_moved_alike():
    still = torch.randn(3, 1, 1, 8, 8, generator=drawn()).expand(3, 1, 6, 8, 8).clone()
    for own in ({"shift": 0.5}, {"crop": 0.5}, {"rotation": 90}, {"colour": 0.5}, {"flip": 1.0}):
        x = video.augment(still, drawn(1), SPEC, augmented.Settings(**own))
        assert torch.allclose(x, x[:, :, :1].expand_as(x)) and not torch.allclose(x, still), own


def test_time_moves_and_is_not_turned_round_unless_asked():
    usual = torch.stack([video.augment(ramp(), drawn(k), SPEC)[:, 0, :, 0, 0] for k in range(20)])
    assert (usual.diff(dim=2) >= 0).all() and (usual != torch.arange(6.0)).any()
    back = video.augment(ramp(), drawn(), SPEC, augmented.Settings(reverse=1.0))[:, 0, :, 0, 0]
    assert back.tolist() == [[5, 4, 3, 2, 1, 0]] * 2
    fast = video.augment(ramp(), drawn(3), SPEC, augmented.Settings(speed=0.5))[:, 0, :, 0, 0]
    assert (fast.diff(dim=1) >= 0).all() and not (fast == torch.arange(6.0)).all()


def test_corruption_goes_from_nothing_to_noise_alone():
    x = torch.randn(4, 1, 6, 8, 8, generator=drawn())
    assert torch.equal(video.corrupt(x, 0.0, drawn(1), SPEC), x)
    pure = video.corrupt(x, 1.0, drawn(1), SPEC)
    assert abs(np.corrcoef(pure.flatten(), x.flatten())[0, 1]) < 0.1
    frozen = worse.frozen(ramp(), 0.5, drawn(2))[:, 0, :, 0, 0]
    assert (frozen[:, 0] == 0).all() and (frozen.diff(dim=1) >= 0).all() and (frozen <= torch.arange(6.0)).all()
    assert (frozen != torch.arange(6.0)).any()
    assert worse.blurred(x, 1.0).var() < x.var() / 4


@pytest.mark.parametrize(("way", "own"), [("right", 0), ("left", motion.DIRECTIONS // 2)])
def test_simple_features_say_what_moves_and_which_way(tmp_path, way, own):
    clips.write(tmp_path / "a.mp4", clips.moving("square", way, np.random.default_rng(3)), 8, crf="1")
    settings = motion.Settings(frames_per_second=8, colours=2)
    x = motion.decode("a.mp4", tmp_path, None, None, settings)
    assert x.shape == motion.spec(settings).shape and x.dtype == np.float32
    pictures = video.read("a.mp4", tmp_path, None, None, settings.clip)
    each = [hog.described(pictures[0][:, t], settings.picture) for t in range(pictures[1])]
    assert np.allclose(x[: len(each[0])], np.mean(each, 0), atol=1e-6)
    flow = x[-motion.DIRECTIONS:]
    assert flow.argmax() == own and flow.sum() == pytest.approx(1, abs=1e-3)


def test_what_stands_still_has_no_motion():
    assert motion.moved(np.ones((5, 32, 32), np.float32)).sum() == 0
    assert motion.moved(np.ones((1, 32, 32), np.float32)).shape == (2 * 16 + 1 + 8,)
