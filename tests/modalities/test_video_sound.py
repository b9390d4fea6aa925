"""The sound of a video is as any other, at the times of its pictures."""

import numpy as np
import pytest

from tests import clips
from trivium.modalities import audio
from trivium.modalities.processors import mfcc

RATE = 16_000
TONE = np.zeros(3 * RATE, np.float32)
TONE[RATE: RATE + 8000] = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / RATE)  # from 1 s to 1.5 s


@pytest.mark.parametrize(("ending", "codec"), [("mp4", "libx264"), ("mkv", "libx264"), ("mov", "libx264")])
def test_sound_is_where_it_was(tmp_path, ending, codec):
    clips.write(tmp_path / f"a.{ending}", clips.greys(50), codec=codec, sound=TONE)
    assert audio.probe(f"a.{ending}", tmp_path) == {"seconds": pytest.approx(3, abs=0.05), "sample_rate": RATE}
    assert audio.length(f"a.{ending}", tmp_path, 1.0, 2.5) == 1.5
    wave = audio.read(f"a.{ending}", tmp_path, None, None, RATE, 10)
    assert np.corrcoef(wave[: len(TONE)], TONE[: len(wave)])[0, 1] > 0.99
    part = audio.read(f"a.{ending}", tmp_path, 1.25, 2.0, RATE, 10)
    assert len(part) == 12_000 and np.corrcoef(part, TONE[20_000:32_000])[0, 1] > 0.99
    whole = mfcc.decode(f"a.{ending}", tmp_path, None, None, mfcc.Settings())
    assert np.isfinite(whole).all()


def test_a_video_without_sound_says_so(tmp_path):
    clips.write(tmp_path / "a.mp4", clips.greys(5))
    assert audio.probe("a.mp4", tmp_path) == {"error": "has no sound"}
    with pytest.raises(ValueError, match="has no sound"):
        audio.decode("a.mp4", tmp_path, None, None, audio.Settings())
