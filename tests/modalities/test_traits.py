"""The numbers that describe a series, by hand."""

import time

import numpy as np
import pytest

from trivium.modalities.processors import traits
from trivium.modalities.recordings.written import content

NAMES = {"mean": 0, "deviation": 1, "skew": 2, "kurtosis": 3, "least": 4, "median": 7, "largest": 10, "first": 11,
         "last": 18, "first spread": 19, "bands": 27, "middle": 39, "peak": 40, "entropy": 42, "lag 1": 43, "lag 8": 48,
         "zero": 54, "slope": 55, "crossings": 61, "turns": 62, "rises": 63, "longest": 65, "gaps": 66}


def told(values, there=None):
    found = traits.of_channels(np.array(values, float), np.ones(np.shape(values), bool) if there is None else there)[0]
    return [{name: row[k] for name, k in NAMES.items()} for row in found]


def test_of_a_ramp():
    (one,) = told([np.arange(80.0)])
    assert one["mean"] == 39.5 and one["median"] == 39.5 and one["least"] == 0 and one["largest"] == 79
    assert one["deviation"] == pytest.approx(np.sqrt((80**2 - 1) / 12)) and one["skew"] == pytest.approx(0, abs=1e-9)
    assert one["kurtosis"] == pytest.approx(1.8, abs=0.01)  # of an even distribution
    assert one["first"] == 4.5 and one["last"] == 74.5 and one["first spread"] == pytest.approx(np.sqrt(99 / 12))
    assert one["slope"] == pytest.approx(np.sqrt(3), rel=0.02) and one["rises"] == 1 and one["turns"] == 0
    assert one["crossings"] == pytest.approx(1 / 79) and one["longest"] == 0.5 and one["gaps"] == 0


def test_of_a_sinusoid():
    (one,) = told([np.sin(2 * np.pi * np.arange(160) / 16)])  # 10 turns
    assert one["peak"] == pytest.approx(10 / 80) and one["middle"] == pytest.approx(10 / 80, abs=0.01)
    assert one["lag 8"] < -0.9 and one["lag 1"] > 0.9 and one["zero"] == pytest.approx(5 / 160, abs=0.01)
    assert one["turns"] == pytest.approx(20 / 158, abs=0.01) and one["entropy"] < 0.3
    noise = told(np.random.default_rng(0).normal(size=(1, 160)))[0]
    assert noise["entropy"] > 0.8 and abs(noise["lag 1"]) < 0.2


def test_what_is_nearly_nothing_gives_numbers():
    for values in ([[3.0]], [[3.0, 3.0]], [[1.0, 2.0, 3.0, 4.0, 5.0]], np.full((2, 50), 7.0), np.zeros((1, 50))):
        assert np.isfinite(traits.of_channels(np.array(values), np.ones(np.shape(values), bool))[0]).all()
    none = traits.of_channels(np.zeros((1, 50)), np.zeros((1, 50), bool))[0]
    assert np.isfinite(none).all() and none[0, NAMES["gaps"]] == 1 and none[0, NAMES["mean"]] == 0


def test_gaps_are_left_out():
    x = np.random.default_rng(0).normal(5, 2, (1, 400))
    there = np.ones(x.shape, bool)
    there[:, 100:200] = False
    one, = told(np.where(there, x, 0.0), there)
    assert one["mean"] == pytest.approx(x[there].mean()) and one["deviation"] == pytest.approx(x[there].std())
    assert one["median"] == pytest.approx(np.median(x[there])) and one["gaps"] == 0.25


def test_which_channel_is_ahead():
    t = np.arange(200)
    a, b = np.sin(2 * np.pi * t / 40), np.sin(2 * np.pi * (t - 10) / 40)
    _, z = traits.of_channels(np.stack([a, b]), np.ones((2, 200), bool))
    (same, best, shift, *leads), = traits.of_pairs(z)
    assert leads == pytest.approx([-2 * np.sin(2 * np.pi * k / 40) for k in (1, 2, 4, 8, 16)], abs=0.1)
    assert abs(same) < 0.05 and best > 0.9 and shift * 200 == pytest.approx(-10, abs=1)


def test_one_at_a_time_or_many_is_the_same(tmp_path):
    x = np.random.default_rng(0).normal(size=(3, 300))
    settings = traits.Settings(channels=("a", "b", "c"), rate=10, seconds=30)
    (tmp_path / "x.arrow").write_bytes(content(dict(zip("abc", x, strict=True)), 10))
    one = traits.decode("x.arrow", tmp_path, None, None, settings)
    assert one.dtype == np.float32 and one.shape == (traits.width(settings),) == traits.spec(settings).shape
    many, _ = traits.of_channels(x, np.ones(x.shape, bool))
    assert np.allclose(one[: 3 * traits.WIDTH], many.ravel(), rtol=1e-5, atol=1e-6)
    short = traits.decode("x.arrow", tmp_path, None, None, settings.model_copy(update={"seconds": 60.0}))
    assert np.array_equal(one, short)  # what is behind the end says nothing


def test_they_are_quick():
    x = np.random.default_rng(0).normal(size=(500, 1000))
    begin = time.process_time()
    traits.of_channels(x, np.ones(x.shape, bool))
    assert (time.process_time() - begin) / 500 * 100_000 < 60  # seconds of a hundred thousand
