"""A video on the clock of a sound: what is cut out of it, and how far the two are apart."""

import numpy as np
import pytest
import soundfile

from tests import clips
from tests.data.clocks import hold_a_late_clock


@pytest.mark.slow
def test_a_video_is_cut_out_on_the_clock_and_its_offset_is_found(tmp_path):
    rng = np.random.default_rng(4)
    beats, wave = np.sort(rng.uniform(2, 38, 30)), rng.normal(0, 0.01, 40_000)
    moves = np.zeros(40 * 25, bool)
    for at in beats:
        wave[round(at * 1000): round(at * 1000) + 200] += rng.uniform(-0.5, 0.5, 200)
        moves[round((at - 0.7) * 25): round((at - 0.7 + 0.2) * 25)] = True
    soundfile.write(tmp_path / "a.wav", wave, 1000)
    still = np.full((64, 64, 3), 60, np.uint8)
    moved = [np.kron(rng.integers(0, 255, (8, 8, 1), np.uint8), np.ones((8, 8, 3), np.uint8)) for _ in range(9)]
    clips.write(tmp_path / "a.mp4", [moved[k % 9] if one else still for k, one in enumerate(moves)])
    hold_a_late_clock(tmp_path, "video", "a.mp4")
