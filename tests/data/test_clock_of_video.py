"""A video on the clock of a sound: what is cut out of it, and how far the two are apart."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests import clips
from tests.data.clocks import hold_a_late_clock
from trivium.data.offsets import LONGEST, RATE, match
from trivium.modalities import series, video


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


def waves(path: Path, shifts: np.ndarray, rate: float) -> str:
    """A film of a grating that is moved by `shifts` pixels, frame by frame."""
    x = np.arange(64)[None, :, None]
    clips.write(path, [np.tile(128 + 100 * np.sin((x + one) / 4), (64, 1, 3)).astype(np.uint8) for one in shifts], rate)
    return path.name


def test_what_moves_all_the_time_has_no_gaps_between_frames(tmp_path: Path) -> None:
    for rate in (5, 10, 25, 30):
        found = video.energy(waves(tmp_path / f"{rate}.mp4", np.arange(4 * rate) * 2.0, rate), tmp_path, 0.5, 3.5, 200)
        inside = found[100:-100]
        assert len(found) == 600 and inside.min() > 0.4 * inside.max() > 1, rate


@pytest.mark.parametrize(("rate", "near"), [(10, 0.06), (25, 0.03)])
def test_a_sensor_and_a_camera_that_sees_ten_frames_a_second(tmp_path: Path, rate: int, near: float) -> None:
    """Somebody who moves and rests, in turn. The camera is 0.7 s early."""
    rng, speed = np.random.default_rng(0), np.zeros(62_000)  # a thousand a second
    at = 0
    while at < len(speed):
        rests, moves = (rng.uniform(0.3, most) for most in (2.0, 1.5))
        own = speed[at + round(1000 * rests):][:round(1000 * moves)]
        own[:] = rng.uniform(0.3, 1.5) * np.hanning(len(own))
        at += round(1000 * (rests + moves))
    seen = (np.arange(60 * rate) * 1000 // rate) + 700
    film = waves(tmp_path / "a.mp4", np.cumsum(speed)[seen] * 0.06, rate)
    felt = speed[:60_000:20] * rng.normal(0, 1, 3000) + rng.normal(0, 0.02, 3000)
    np.savez(tmp_path / "a.npz", values=felt, rate=50)
    blank = np.full(round(LONGEST * RATE), np.nan)
    a, b = (np.concatenate([blank, one.energy(name, tmp_path, None, None, RATE)[:12_000], blank])
            for one, name in ((series, "a.npz"), (video, film)))
    found = match("camera", "sensor", [(a, b)])
    assert found is not None and found.sure and found.agree == 6
    assert found.seconds == pytest.approx(0.7, abs=near)  # half a frame is not known
