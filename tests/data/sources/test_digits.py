import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.helpers import digests
from trivium.data import tables
from trivium.data.settings import Digits
from trivium.data.sources import digits

SETTINGS = Digits(world="unique", samples=200)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("digits")
    digits.write(out, SETTINGS, 0)
    return out


@pytest.mark.slow
def test_what_is_written(raw: Path) -> None:
    labels = tables.read(raw / "labels.parquet").to_pylist()
    assert [row["key"] for row in labels] == [f"d{i:05}" for i in range(200)]
    assert {row["label"] for row in labels} == set("01234567")
    groups = [row["group"] for row in labels]
    assert {groups.count(group) for group in groups} == {10}
    assert len(set(groups)) == 20
    for m in ("text", "image", "audio"):
        assert tables.read(raw / f"{m}.parquet")["key"].to_pylist() == [row["key"] for row in labels]
    image = tables.read(raw / "image.parquet").to_pylist()[5]
    picture = np.asarray(Image.open(raw / image["value"]))
    assert (picture.shape, picture.dtype) == ((32, 32), np.uint8)
    assert picture.std() > 10
    audio = tables.read(raw / "audio.parquet").to_pylist()[5]
    assert audio["digest"] == tables.digest((raw / audio["value"]).read_bytes())
    about = soundfile.info(raw / audio["value"])
    assert (about.samplerate, about.channels, about.format, about.subtype) == (16_000, 1, "FLAC", "PCM_16")
    assert all(0.6 <= soundfile.info(path).duration < 1.5 for path in (raw / "media/audio").iterdir())
    meta = tables.read_json(raw / "meta.json")
    assert meta["world"]["bayes"] == {"text": 0.25, "image": 0.25, "audio": 0.25, "all": 1.0}


@pytest.mark.slow
def test_the_same_bytes_on_one_core(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    digits.write(tmp_path, SETTINGS, 0)
    one, many = digests(tmp_path, "."), digests(raw, ".")
    del one["meta.json"], many["meta.json"]  # it names the folder
    assert one == many
    assert len(one) == 404


def test_no_hand_and_no_voice_is_in_two_pools() -> None:
    pools = digits._pools(Path("x"), SETTINGS, 0, ("text",))
    assert len(pools) == 20
    voices = [voice for pool in pools for voice in pool.voices]
    assert len(voices) == len(set(voices))
    assert min(len(pool.voices) for pool in pools) >= 4
    assert {len(pool.glyphs) for pool in pools} == {10}
    assert min(len(glyphs) for pool in pools for glyphs in pool.glyphs) >= 8
    assert sum(len(glyphs) for pool in pools for glyphs in pool.glyphs) == 1797
    everyone = np.concatenate([glyphs.reshape(-1, 64) for pool in pools for glyphs in pool.glyphs])
    assert len(np.unique(everyone, axis=0)) == 1797


def test_each_symbol_has_its_digits() -> None:
    assert [digits.digits_of(s, 10) for s in (0, 9)] == [[0], [9]]
    assert [digits.digits_of(s, 2) for s in (0, 1)] == [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]]
    assert [digits.digits_of(s, 4) for s in range(4)] == [[0, 2, 4], [1, 3], [6, 8], [5, 7, 9]]


def test_text_says_the_symbol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without typos the number word gives the first bit of the label in the world `unique`."""
    from trivium.data.sources import words

    monkeypatch.setattr(digits, "TYPOS", (0.0, 0.0))
    rows = digits._make(digits._pools(tmp_path, SETTINGS, 0, ("text",))[3])
    for key, label, group, language, (text, _) in rows:
        assert group == "pool-03"
        assert int(key[1:]) % 20 == 3
        said = [d for d in range(10) if words.word(d, language) in text.split()]
        assert {d % 2 for d in said} == {int(label) // 4}


def test_noise_has_its_colour() -> None:
    rng = np.random.default_rng(0)
    white, brown = digits.coloured_noise(rng, 16_000, 0.0), digits.coloured_noise(rng, 16_000, 1.0)

    def share_above(wave: np.ndarray, hertz: int) -> float:
        power = np.abs(np.fft.rfft(wave)) ** 2
        return power[hertz:].sum() / power.sum()

    assert share_above(white, 4000) == pytest.approx(0.5, abs=0.02)
    assert share_above(brown, 4000) < 0.02
    assert np.sqrt(np.mean(brown**2)) == pytest.approx(1, abs=1e-3)


def test_a_picture_is_not_lost_under_noise() -> None:
    """The drawn digit stays where the canvas is: bright strokes on grey, nothing outside 0-255."""
    glyph = np.zeros((1, 8, 8))
    glyph[0, 1:7, 3:5] = 16
    picture = digits.draw(np.random.default_rng(4), glyph)
    assert picture.shape == (32, 32)
    assert picture.max() > 120
    assert 20 < np.median(picture) < 60
