import numpy as np
import pytest
import soundfile

from trivium.modalities.processors import extracted

WAVE = extracted.Settings(seconds=0.5, extractor={
    "feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": 8000, "do_normalize": True})
RAW = WAVE.model_copy(update={"extractor": WAVE.extractor | {"do_normalize": False}})
FRAMES = extracted.Settings(seconds=0.215, extractor={
    "feature_extractor_type": "ASTFeatureExtractor", "sampling_rate": 16_000, "num_mel_bins": 8, "max_length": 20,
    "mean": -4.0, "std": 2.0})


def decode(folder, wave, rate, settings, start=None, end=None):
    soundfile.write(folder / "a.wav", wave, rate, subtype="FLOAT")
    return extracted.decode("a.wav", folder, start, end, settings)


def noise(count):
    return np.random.default_rng(0).normal(0.2, 0.1, count).astype(np.float32)


def test_a_waveform_is_normalised_before_it_is_padded(tmp_path):
    wave = noise(3000)
    x = decode(tmp_path, wave, 8000, WAVE)
    assert x.shape == (1, 4000) == extracted.spec(WAVE).shape and x.dtype == np.float16
    assert np.abs(x[0, :3000].astype(np.float64) - (wave - wave.mean()) / wave.std()).max() < 2e-3
    assert not x[0, 3000:].any()
    assert np.abs(decode(tmp_path, wave, 8000, RAW)[0, :3000].astype(np.float64) - wave).max() < 3e-4


def test_a_waveform_is_cut_to_its_seconds_and_comes_at_the_model_s_rate(tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 24_000)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(4000) / 8000)
    stereo = np.stack([tone, tone], 1)
    whole, spanned = (decode(tmp_path, stereo, 24_000, RAW, start, end)[0].astype(np.float64)
                      for start, end in ((None, None), (1.0, 1.25)))
    assert len(whole) == 4000 and np.abs(whole - expected)[50:].max() < 5e-3
    assert np.abs(spanned - expected)[50:1950].max() < 5e-3 and not spanned[2000:].any()


def test_frames_behind_the_end_of_a_clip_are_what_the_extractor_pads_with(tmp_path):
    x = decode(tmp_path, noise(400 + 9 * 160), 16_000, FRAMES)
    assert x.shape == (1, 8, 20) == extracted.spec(FRAMES).shape and x.dtype == np.float16
    assert (x[0, :, 10:] == 1.0).all()  # (0 - mean) / (2 std)
    assert not (x[0, :, :10] == 1.0).any()
    assert decode(tmp_path, noise(50), 16_000, FRAMES).shape == (1, 8, 20)  # shorter than one window
    assert extracted.fixed_seconds(FRAMES.extractor) == 0.215 and extracted.fixed_seconds(WAVE.extractor) is None


def test_nothing_is_scaled_afterwards():
    assert WAVE.statistics == {"mean": [0.0], "deviation": [1.0]}
    assert FRAMES.statistics == {"mean": [0.0] * 8, "deviation": [1.0] * 8}


def test_what_cannot_be_read_is_told(tmp_path):
    (tmp_path / "a.wav").write_text("not a sound")
    with pytest.raises(ValueError, match="not sound, or of a format that libsndfile cannot read"):
        extracted.decode("a.wav", tmp_path, None, None, WAVE)
