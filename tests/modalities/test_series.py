"""What models see of a series: regular times, gaps as gaps, nothing faster than the clock; and how it is changed."""

import numpy as np
import pytest
import torch

from trivium.modalities import series
from trivium.modalities.augmented import series as augmented
from trivium.modalities.spec import Spec, without_gaps
from trivium.settings.errors import UserError

SECONDS = np.arange(500) / 100
WAVE = np.sin(2 * np.pi * 3 * SECONDS)
SPEC = Spec("series", "series", (4, 100), seconds=1.0)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def decoded(times, values, start=None, end=None, channels=("x",), **settings):
    np.savez("a.npz", time=times, x=values)
    made = series.decode("a.npz", ".", start, end, series.Settings(channels=channels, **settings))
    return np.split(made, 2)


def test_at_its_own_rate_nothing_changes():
    (values,), (there,) = decoded(SECONDS, WAVE, rate=100, seconds=5)
    assert np.abs(values - WAVE).max() < 1e-6 and there.all()


def test_a_part_of_it_and_what_is_behind_its_end():
    (values,), (there,) = decoded(SECONDS, WAVE, 1.0, 2.5, rate=100, seconds=2)
    assert np.abs(values[:150] - WAVE[100:250]).max() < 1e-6
    assert there[:150].all() and not there[150:].any() and not values[150:].any()
    assert series.length("a.npz", ".", 1.0, 2.5) == 1.5
    assert series.probe("a.npz", ".", 9.0) == {"error": "starts at 9 s, but the recording ends at 5 s"}
    assert series.probe("a.npz", ".", 2.0, 1.0) == {"error": "ends at 1 s, not after its start at 2 s"}


def test_what_is_too_fast_for_the_clock_is_not_heard_as_something_slower():
    quick = np.sin(2 * np.pi * 38 * SECONDS)  # at 20 points a second it would look like 2 Hz
    (values,), (there,) = decoded(SECONDS, WAVE + quick, rate=20, seconds=5)
    assert there.all() and np.abs(values - WAVE[::5])[4:-4].max() < 0.02
    (values,), _ = decoded(SECONDS, WAVE, rate=200, seconds=5)
    assert np.abs(values[::2] - WAVE).max() < 1e-6


def test_gaps_stay_gaps():
    broken = np.where((SECONDS >= 1) & (SECONDS < 1.5), np.nan, WAVE)
    for rate, size in ((100, 50), (20, 10)):
        (values,), (there,) = decoded(SECONDS, broken, rate=rate, seconds=5)
        assert np.flatnonzero(there == 0).tolist() == list(range(rate, rate + size)) and not values[there == 0].any()
    kept = ~np.isnan(broken)
    (_,), (there,) = decoded(SECONDS[kept], WAVE[kept], rate=100, seconds=5)  # lines that are missing
    assert np.flatnonzero(there == 0).tolist() == list(range(100, 150))
    (values, other), (there, none) = decoded(SECONDS, WAVE, channels=("X ", "y"), rate=100, seconds=5)
    assert there.all() and not none.any() and not other.any() and values.any()
    assert not np.concatenate(decoded(SECONDS, WAVE, channels=("y",))).any()
    with pytest.raises(UserError, match=r"No ecg that models learn from has a value in the channel `y`\. Take it out"):
        series.refuse_absent("ecg", series.Settings(channels=("x", "y")), np.array([3.0, 0.0]))


def test_irregular_times_are_read_off_the_line_between():
    seconds = np.sort(np.random.default_rng(0).random(500) * 5)
    seconds = seconds[(seconds < 2) | (seconds > 3)]
    (values,), (there,) = decoded(seconds, np.sin(2 * np.pi * seconds), rate=50, seconds=5)
    clock = seconds[0] + np.arange(250) / 50
    assert np.abs(values - np.sin(2 * np.pi * clock))[there == 1].max() < 0.05
    assert not there[(clock > 2.02) & (clock < 2.97)].any() and there.mean() > 0.65


def test_a_very_long_one_is_no_burden():
    (values,), (there,) = decoded(np.arange(1_000_000) / 1000, np.ones(1_000_000), rate=0.1, seconds=1000)
    assert values.shape == (100,) and there.all() and np.allclose(values, 1)


def test_a_gap_is_the_mean_after_scaling():
    x = np.array([[[3.0, 0.0], [1.0, 0.0]]])
    assert without_gaps((x - 1) / np.array([[2.0], [1.0]]) * [[1], [0]] + x * [[0], [1]],
                        Spec("s", "series", (2, 2))).tolist() == [[[1.0, 0.0], [1.0, 0.0]]]


def example():
    draw = torch.Generator().manual_seed(0)
    there = (torch.rand(64, 2, 100, generator=draw) < 0.9).float()
    return torch.cat([torch.randn(64, 2, 100, generator=draw) * there, there], 1)


def test_corrupted_from_nothing_to_all():
    x, lost = example(), []
    for severity in (0.0, 0.2, 0.6, 1.0):
        made = series.corrupt(x, severity, torch.Generator().manual_seed(1), SPEC)
        values, there = made.chunk(2, 1)
        assert not values[there == 0].any() and set(there.unique().tolist()) <= {0.0, 1.0}
        lost.append(1 - there.mean().item() / x[:, 2:].mean().item())
        if severity == 0:
            assert torch.equal(made, x)
    assert lost == pytest.approx([0, 0.04, 0.36, 1.0], abs=0.01) and not made.any()
    plain = series.corrupt(torch.zeros(500, 7), 1.0, torch.Generator().manual_seed(1), Spec("t", "features", (7,)))
    assert plain.std().item() == pytest.approx(1, abs=0.05)


def test_augmented_as_asked_and_drawn():
    x = example()

    def made(**settings):
        return augmented.augment(x, torch.Generator().manual_seed(2), SPEC, augmented.Settings(**settings))

    there = x[:, 2:]
    assert torch.equal(made(), x) and torch.equal(made(warp=0.3), made(warp=0.3))
    assert (made(jitter=0.1) - x)[:, :2][there == 1].std().item() == pytest.approx(0.1, rel=0.05)
    ratio = (made(scale=0.5)[:, :2] / x[:, :2])[there == 1].view(-1)
    assert 0.5 <= ratio.min() and ratio.max() <= 1.5 and ratio.std() > 0.2
    for found in (made(jitter=0.5), made(warp=0.5), made(drop=0.5)):
        assert not found[:, :2][found[:, 2:] == 0].any()
    kept = made(drop=0.9)[:, 2:].any(2)
    assert kept.any(1).all() and kept.float().mean().item() == pytest.approx(0.5, abs=0.15)
    ramp = torch.cat([torch.linspace(0, 99, 100).expand(64, 2, 100), torch.ones(64, 2, 100)], 1)
    moved = augmented.augment(ramp, torch.Generator().manual_seed(2), SPEC, augmented.Settings(warp=0.5))[:, :2]
    assert torch.allclose(moved[..., 0], torch.tensor(0.0)) and torch.allclose(moved[..., -1], torch.tensor(99.0))
    assert (moved.diff(dim=2) > 0.4).all() and (moved - ramp[:, :2]).abs().max() > 2
