import numpy as np
import pytest
import soundfile

from trivium.modalities.processors import mfcc

SETTINGS = mfcc.Settings()
DEVIATIONS = slice(41, 82)  # 20 coefficients, 20 deltas and the energy


def decode(folder, wave, rate=16_000, start=None, end=None, **settings):
    soundfile.write(folder / "a.wav", wave, rate, subtype="FLOAT")
    return mfcc.decode("a.wav", folder, start, end, mfcc.Settings(**settings))


def tone(hertz, seconds=1.0, rate=16_000):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def test_silence_is_a_number(tmp_path):
    x = decode(tmp_path, np.zeros(16_000))
    assert x.shape == (82,) == (mfcc.width(SETTINGS),) and x.dtype == np.float32
    assert x[0] == pytest.approx(-140 * 40**0.5) and x[40] == pytest.approx(-140)  # -140 dB in each of 40 bands
    assert np.abs(np.delete(x, [0, 40])).max() < 1e-3


def test_loudness_is_kept(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000)
    loud, soft = decode(tmp_path, noise), decode(tmp_path, noise / 10)
    difference = loud - soft
    assert difference[40] == pytest.approx(20, abs=1e-3)  # dB
    assert difference[0] == pytest.approx(20 * 40**0.5, abs=1e-2)
    assert np.abs(np.delete(difference, [0, 40])).max() < 1e-3
    assert loud[40] == pytest.approx(-20, abs=0.2)  # the power of N(0, 0.1^2)
    quiet = decode(tmp_path, noise / 10_000)  # nothing of it is lost
    assert (quiet[:20] - soft[:20])[1:] == pytest.approx(np.zeros(19), abs=0.1)


def test_the_whole_clip_counts_and_its_length_does_not(tmp_path):
    short, long = decode(tmp_path, tone(440)), decode(tmp_path, tone(440, 10))
    assert np.abs(short[:20] - long[:20]).max() < 1
    ends_silent = decode(tmp_path, np.concatenate([tone(440), np.zeros(16_000)]))
    assert ends_silent[40] == pytest.approx((short[40] - 140) / 2, abs=2) and ends_silent[81] > 40
    assert decode(tmp_path, np.concatenate([tone(440), np.zeros(16_000)]), seconds=1.0) == pytest.approx(short, abs=0.1)


def test_a_sweep_moves_the_deltas(tmp_path):
    seconds = np.arange(16_000) / 16_000
    rising = 0.5 * np.sin(2 * np.pi * (200 * seconds + 1500 * seconds**2))
    steady, moving = decode(tmp_path, tone(440)), decode(tmp_path, rising)
    assert moving[DEVIATIONS][20:40].mean() > 3 * steady[DEVIATIONS][20:40].mean()


def test_a_delta_is_a_slope():
    frames = np.stack([3.0 * np.arange(9), np.full(9, 5.0)], 1)
    assert mfcc._delta(frames)[2:-2].tolist() == [[3.0, 0.0]] * 5
    assert mfcc._delta(frames)[0].tolist() == [(1 * 3 + 2 * 6) / 10, 0.0]


def test_other_rates_channels_spans_and_tiny_clips(tmp_path):
    once = decode(tmp_path, tone(440))
    double = decode(tmp_path, np.stack([tone(440, rate=32_000)] * 2, 1), 32_000)
    assert double[40] == pytest.approx(once[40], abs=0.1)
    both = np.concatenate([np.zeros(16_000), tone(440)])
    assert decode(tmp_path, both, start=1.0) == pytest.approx(once, abs=1e-3)
    assert np.isfinite(decode(tmp_path, [0.1])).all()
    assert decode(tmp_path, tone(440), coefficients=3).shape == (14,)


def test_what_cannot_be_read_says_why(tmp_path):
    with pytest.raises(ValueError, match="there is no such file"):
        mfcc.decode("none.wav", tmp_path, None, None, SETTINGS)
    soundfile.write(tmp_path / "a.wav", np.array([0.1, np.nan]), 8000, subtype="FLOAT")
    with pytest.raises(ValueError, match="not numbers"):
        mfcc.decode("a.wav", tmp_path, None, None, SETTINGS)
