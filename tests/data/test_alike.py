"""How many near-duplicates are found, and how many distinct values are taken for some: the figures of the docs."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.alike_media import (
    PICTURES,
    SOUNDS,
    one_word,
    picture,
    save_picture,
    save_sound,
    sentence,
    sound,
)
from trivium.data.alike import audio, image, near, text
from trivium.data.settings import Near

COUNT, MORE = 60, 200
LEAST = Near()


def found(pairs: np.ndarray, count: int) -> tuple[int, int]:
    """How many of the planted ones, `count` places apart, and how many others."""
    planted = int((pairs[:, 1] - pairs[:, 0] == count).sum())
    return planted, len(pairs) - planted


@pytest.mark.parametrize(("change", "least"), [("JPEG, quality 30", 60), ("half the size", 60), ("30 % brighter", 55),
                                               ("30 % darker", 60)])
def test_pictures(tmp_path: Path, change: str, least: int) -> None:
    every = [*(picture(i) for i in range(COUNT)), *(PICTURES[change](picture(i)) for i in range(COUNT))]
    prints = [image.print_of(save_picture(one, tmp_path / f"{i}.png"), tmp_path, None, None)
              for i, one in enumerate(every)]
    planted, others = found(image.pairs(np.stack([one for one in prints if one is not None]), LEAST.image or 1), COUNT)
    assert planted >= least and others == 0


@pytest.mark.parametrize(("change", "least"), [("half as loud", 60), ("40 ms later", 57), ("noise at 25 dB", 59),
                                               ("MP3", 59)])
@pytest.mark.slow
def test_sounds(tmp_path: Path, change: str, least: int) -> None:
    every = [*(sound(i) for i in range(COUNT)), *(SOUNDS[change](sound(i), i) for i in range(COUNT))]
    prints = [audio.print_of(save_sound(one, tmp_path / f"{i}.wav"), tmp_path, None, None)
              for i, one in enumerate(every)]
    planted, others = found(audio.pairs(np.stack([one for one in prints if one is not None]), LEAST.audio or 1), COUNT)
    assert planted >= least and others == 0


@pytest.mark.parametrize(("words", "least"), [(12, 160), (20, 198), (60, 200)])
def test_texts_with_one_word_changed(words: int, least: int) -> None:
    own = [sentence(i, words) for i in range(MORE)]
    texts = [text.bare(" ".join(one)) for one in [*own, *(one_word(one, i) for i, one in enumerate(own))]]
    planted, others = found(text.pairs(texts, LEAST.text or 1), MORE)
    assert planted >= least and others == 0


def test_short_texts_are_alike_only_where_they_are_the_same() -> None:
    texts = [text.bare(one) for one in ("Row number 17", "row number 18", "ROW, number  17!", "行 17 号", "行 17 号。")]
    assert text.pairs(texts, 0.5).tolist() == [[0, 2], [3, 4]]


def test_what_says_too_little_is_not_compared(tmp_path: Path) -> None:
    grey = save_picture(Image.new("RGB", (40, 40), "grey"), tmp_path / "a.png")
    assert image.print_of(grey, tmp_path, None, None) is None
    assert image.print_of("none.png", tmp_path, None, None) is None
    assert audio.print_of(save_sound(np.zeros(16_000), tmp_path / "a.wav"), tmp_path, None, None) is None
    assert audio.print_of("none.wav", tmp_path, None, None) is None


def test_candidates_differ_in_few_bits() -> None:
    bits = np.zeros((4, 16), np.uint8)
    bits[1, 0] = 0b111  # three bits
    bits[2] = 255
    bits[3, :8] = 255
    assert near.candidates(bits, 3).tolist() == [[0, 1]]
    assert near.candidates(bits, 64).tolist() == [[0, 1], [0, 3], [1, 3], [2, 3]]


def test_a_band_that_all_share_is_not_compared_all_with_all() -> None:
    bits = np.zeros((3000, 16), np.uint8)
    bits[:, 8:] = np.random.default_rng(0).integers(0, 256, (3000, 8))
    assert len(near.candidates(bits, 128)) < 3000 * near.REACH * 8
