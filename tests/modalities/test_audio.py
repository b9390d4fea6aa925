import os

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from trivium.modalities import audio, image

LOGMEL = audio.Settings(sample_rate=16000, seconds=1.0, features="logmel", bins=40, window_ms=25, hop_ms=12.5)
NOISE = np.random.default_rng(0).normal(0, 0.1, 22050)


def settings(**changes):
    return audio.Settings(**(LOGMEL.model_dump() | changes))


def decode(folder, name, start=None, end=None, **changes):
    return audio.decode(name, folder, start, end, settings(**changes))


def tone(hertz, rate=16000, seconds=1.0):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_every_format_is_probed_and_decoded(tmp_path, ending):
    soundfile.write(tmp_path / f"a.{ending}", np.stack([NOISE, NOISE], 1), 22050)
    assert audio.probe(f"a.{ending}", tmp_path) == {"seconds": 1.0, "sample_rate": 22050}
    wave = decode(tmp_path, f"a.{ending}", features="waveform")[0]
    expected = resample_poly(NOISE, 320, 441)
    assert np.corrcoef(wave, expected)[0, 1] > 0.85  # lossy codecs drop what is hard to hear
    if ending in ("wav", "flac"):
        assert np.abs(wave - expected).max() < 1e-3


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_a_span_is_the_same_as_that_part_of_the_whole(tmp_path, ending):
    soundfile.write(tmp_path / f"a.{ending}", NOISE, 22050)
    whole, _ = soundfile.read(tmp_path / f"a.{ending}")
    span = decode(tmp_path, f"a.{ending}", 0.25, 0.5, sample_rate=22050, features="waveform")[0]
    first, last = round(0.25 * 22050), round(0.5 * 22050)
    assert np.abs(span[: last - first] - whole[first:last]).max() < 2e-3 and not span[last - first:].any()
    assert audio.probe(f"a.{ending}", tmp_path, 0.25, 0.5)["seconds"] == pytest.approx(0.25, abs=1e-4)
    assert audio.probe(f"a.{ending}", tmp_path, 0.25, None)["seconds"] == pytest.approx(0.75, abs=1e-4)
    assert audio.probe(f"a.{ending}", tmp_path, float("nan"), 9.0)["seconds"] == 1.0
    assert audio.probe(f"a.{ending}", tmp_path, None, float("inf"))["seconds"] == 1.0
    assert "starts at inf s" in audio.probe(f"a.{ending}", tmp_path, float("inf"))["error"]


def test_damaged_files_and_wrong_spans_are_told(tmp_path):
    for ending in ("wav", "flac", "ogg", "mp3"):
        soundfile.write(tmp_path / f"a.{ending}", NOISE, 22050)
        whole = (tmp_path / f"a.{ending}").read_bytes()
        (tmp_path / f"half.{ending}").write_bytes(whole[: len(whole) // 2])
        (tmp_path / f"text.{ending}").write_text("not a sound" * 99)
        (tmp_path / f"empty.{ending}").write_bytes(b"")
        assert "error" in audio.probe(f"half.{ending}", tmp_path)
        assert "not sound" in audio.probe(f"text.{ending}", tmp_path)["error"]
        assert "not sound" in audio.probe(f"empty.{ending}", tmp_path)["error"]
    soundfile.write(tmp_path / "nan.wav", np.full(99, np.nan), 8000, subtype="FLOAT")
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 8000)
    for name, start, end, words in [
        ("nan.wav", None, None, "not numbers"), ("none.wav", None, None, "has no samples"),
        ("missing.wav", None, None, "there is no such file"), (".", None, None, "this is a folder"),
        ("a.wav", 2.0, 3.0, "starts at 2.0 s, but the recording lasts 1.00 s"),
        ("a.wav", 0.5, 0.25, "ends at 0.25 s, not after its start at 0.5 s"),
    ]:
        assert words in audio.probe(name, tmp_path, start, end)["error"]
        with pytest.raises(ValueError, match=words):
            decode(tmp_path, name, start, end)


def test_half_a_file_is_told_where_it_has_a_header_that_says_so(tmp_path):
    for ending in ("wav", "aiff"):
        soundfile.write(tmp_path / f"a.{ending}", NOISE, 22050)
        whole = (tmp_path / f"a.{ending}").read_bytes()
        (tmp_path / f"half.{ending}").write_bytes(whole[:22_000])
        said = audio.probe(f"half.{ending}", tmp_path)["error"]
        assert said.startswith("has 21,9") and "bytes of sound that its header names: the file is truncated" in said
        (tmp_path / f"note.{ending}").write_bytes(whole + b"LIST" + (9999).to_bytes(4, "little") + b"cut off")
        assert audio.probe(f"note.{ending}", tmp_path)["seconds"] == 1.0
        assert audio.probe(f"a.{ending}", tmp_path)["seconds"] == 1.0
    for size in (0, 2**31 - 1, 2**32 - 1):  # as programs write it into a pipe
        content = (tmp_path / "a.wav").read_bytes()
        (tmp_path / "piped.wav").write_bytes(content[:4] + size.to_bytes(4, "little") + content[8:])
        assert audio.probe("piped.wav", tmp_path)["seconds"] == 1.0


def test_samples_far_beyond_full_scale_are_told(tmp_path):
    """They would be infinite in half precision. The range of 16-bit integers, which some write as floats, is not."""
    soundfile.write(tmp_path / "int16.wav", tone(1000) * 2**15, 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "int32.wav", tone(1000) * 2**31, 16000, subtype="FLOAT")
    assert audio.probe("int16.wav", tmp_path)["seconds"] == 1.0
    assert np.isfinite(decode(tmp_path, "int16.wav", features="waveform")).all()
    assert "samples as large as 1.07e+09, where 1 is full scale" in audio.probe("int32.wav", tmp_path)["error"]
    with pytest.raises(ValueError, match="where 1 is full scale"):
        decode(tmp_path, "int32.wav")


def test_an_mp3_that_does_not_say_how_long_it_is(tmp_path):
    """libsndfile then takes tags for sound."""
    soundfile.write(tmp_path / "a.mp3", NOISE, 22050, bitrate_mode="CONSTANT", compression_level=0.5)
    content = (tmp_path / "a.mp3").read_bytes()
    first = max(content.find(b"Xing"), content.find(b"Info"))
    frames = content[content.index(content[:2], first):]  # without the first, which says it
    (tmp_path / "b.mp3").write_bytes(b"ID3\3\0\0\0\0\x0f\x76" + bytes(2038) + frames)
    with soundfile.SoundFile(tmp_path / "b.mp3") as sound:
        assert sound.frames > 1.2 * 22050
    assert audio.probe("b.mp3", tmp_path)["seconds"] == pytest.approx(1.07, abs=0.02)
    assert decode(tmp_path, "b.mp3").shape == (1, 40, 80)


def test_a_codec_that_cannot_seek(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(400, 8000), 8000, subtype="GSM610")
    assert audio.probe("a.wav", tmp_path)["seconds"] == pytest.approx(1.0, abs=0.05)
    assert decode(tmp_path, "a.wav").shape == (1, 40, 80)


def test_a_short_waveform_is_untouched(tmp_path):
    wave = np.random.default_rng(1).uniform(-0.5, 0.5, 128)
    soundfile.write(tmp_path / "a.wav", wave, 8000, subtype="FLOAT")
    x = decode(tmp_path, "a.wav", sample_rate=8000, seconds=0.016, features="waveform")
    assert x.shape == (1, 128) and x.dtype == np.float16
    assert np.array_equal(x[0], wave.astype(np.float16))


def test_long_clips_are_cut_and_short_ones_padded_with_silence(tmp_path):
    soundfile.write(tmp_path / "a.wav", NOISE, 22050)
    short = decode(tmp_path, "a.wav", seconds=0.25, features="waveform")[0]
    long = decode(tmp_path, "a.wav", seconds=1.5, features="waveform")[0]
    assert len(short) == 4000 and len(long) == 24000
    assert np.array_equal(short, long[:4000]) and not long[16010:].any() and long[15900:16000].all()


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_resampling_keeps_tones_and_drops_what_cannot_be_kept(rate):
    kept = audio._resample(tone(1000, rate).astype(np.float32), rate, 16000)
    assert np.abs(kept[500:-500] - tone(1000)[: len(kept)][500:-500]).max() < 0.01
    if rate > 32000:
        assert np.abs(audio._resample(tone(12000, rate).astype(np.float32), rate, 16000)[500:-500]).max() < 0.01


@pytest.mark.parametrize("changes", [
    {}, {"seconds": 0.016, "sample_rate": 8000}, {"hop_ms": 40}, {"window_ms": 12.5, "bins": 64}, {"seconds": 0.005},
    {"features": "mfcc", "bins": 13}, {"features": "waveform"}, {"sample_rate": 22050, "seconds": 1.234, "hop_ms": 7},
])
def test_shapes_are_what_the_spec_says(tmp_path, changes):
    soundfile.write(tmp_path / "a.wav", NOISE, 22050)
    x = decode(tmp_path, "a.wav", **changes)
    assert x.shape == audio.spec(settings(**changes)).shape and np.isfinite(x).all()


def test_one_frame_per_hop():
    assert audio.spec(settings(seconds=1.2)).shape == (1, 40, 96)


@pytest.mark.parametrize("hertz", [200, 1000, 4000])
def test_a_tone_is_loudest_in_the_band_around_it(tmp_path, hertz):
    soundfile.write(tmp_path / "a.wav", tone(hertz), 16000)
    loudest = decode(tmp_path, "a.wav")[0, :, 40].argmax()
    mel = 2595 * np.log10(1 + np.array([hertz, 8000]) / 700)
    assert abs(loudest + 1 - 41 * mel[0] / mel[1]) <= 0.5


def test_decibels(tmp_path):
    soundfile.write(tmp_path / "loud.wav", tone(1000), 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "low.wav", tone(1000) / 10, 16000, subtype="FLOAT")
    loud, low = (decode(tmp_path, f"{name}.wav")[0].astype(float) for name in ("loud", "low"))
    assert np.abs(loud - low).max() < 0.1  # loudness is no feature
    assert loud.max() - loud.min() == pytest.approx(80, abs=0.1)
    assert loud.mean() == pytest.approx(0, abs=0.01)


def test_ten_times_the_power_is_ten_decibels_more(tmp_path):
    wave = np.concatenate([NOISE[:8000], NOISE[:8000] * 10**0.5])
    soundfile.write(tmp_path / "a.wav", wave / 100, 16000, subtype="FLOAT")
    x = decode(tmp_path, "a.wav")[0].astype(float)
    assert x[:, 45:75].mean() - x[:, 5:35].mean() == pytest.approx(10, abs=0.2)


def test_padding_is_at_the_mean_level_of_the_clip(tmp_path):
    soundfile.write(tmp_path / "a.wav", NOISE[:8000], 16000, subtype="FLOAT")  # half a second of one
    x = decode(tmp_path, "a.wav")[0].astype(float)
    assert np.abs(x[:, 42:]).max() == 0.0 and x[:, :40].mean() == pytest.approx(0, abs=0.3)


def test_white_noise_has_the_same_power_in_every_frequency_step(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 0.1, 160_000), 16000, subtype="FLOAT")
    power = 10 ** (decode(tmp_path, "a.wav", seconds=10)[0].astype(float) / 10)
    steps = audio.mel_filters(40, 16000, 400).sum(1)
    per_step = (power.mean(1) / steps)[5:]
    assert (per_step / per_step.mean()).tolist() == pytest.approx([1.0] * 35, rel=0.1)


def test_silence_is_flat_and_finite(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 16000)
    assert set(decode(tmp_path, "a.wav").ravel()) == {0.0}


def test_a_click_stands_in_the_middle_of_its_frame(tmp_path):
    wave = np.zeros(16000)
    wave[50 * 200 + 100] = 1.0  # frame t covers the 200 samples from 200 t, with its window centred on them
    soundfile.write(tmp_path / "a.wav", wave, 16000, subtype="FLOAT")
    assert decode(tmp_path, "a.wav")[0].mean(0).argmax() == 50


def test_mfcc_is_the_cosine_transform_of_logmel(tmp_path):
    soundfile.write(tmp_path / "a.wav", NOISE, 22050)
    logmel = decode(tmp_path, "a.wav")[0].astype(float)
    k, n = np.arange(13)[:, None], np.arange(40)[None]
    basis = np.cos(np.pi * k * (2 * n + 1) / 80) * np.where(k == 0, 1 / 40, 2 / 40) ** 0.5
    mfcc = decode(tmp_path, "a.wav", features="mfcc", bins=13)[0]
    assert np.abs(mfcc - basis @ logmel).max() < 0.5 and np.abs(mfcc[1]).max() > 10


def test_no_mel_band_is_empty_however_narrow():
    filters = audio.mel_filters(128, 16000, 160)
    assert filters.shape[0] == 128 and filters.max(1).min() > 0.3
    inside = np.linspace(0, 8000, filters.shape[1])
    assert np.abs(filters.sum(0)[(inside > 100) & (inside < 7700)] - 1).max() < 1e-5  # neighbours add up to one


@pytest.mark.parametrize(("rate", "channels", "said"), [
    (20_000_000, 1, "says that it has 1 channel of 20,000,000 samples a second; what is read has 64 and 768,000 at "
     "most"),
    (8000, 200, "says that it has 200 channels of 8,000 samples a second; what is read has 64 and 768,000 at most"),
])
def test_what_a_header_claims_is_bounded_before_anything_is_decoded(tmp_path, rate, channels, said):
    soundfile.write(tmp_path / "a.wav", np.zeros((40, channels)), rate)
    assert audio.probe("a.wav", tmp_path) == {"error": said}
    with pytest.raises(ValueError, match="20,000,000|200 channels"):
        audio.read("a.wav", tmp_path, None, None, 16_000, 4.0)


@pytest.mark.parametrize("part", [audio, image])
def test_a_pipe_or_a_device_is_not_opened(tmp_path, part):
    os.mkfifo(tmp_path / "pipe")
    assert part.probe("pipe", tmp_path) == {"error": "this is a pipe, not a file"}
    assert part.probe("/dev/zero", tmp_path) == {"error": "this is a device, not a file"}
    assert part.probe("zip://pipe::a.png", tmp_path) == {
        "error": "the archive cannot be read: this is a pipe, not a file"}
