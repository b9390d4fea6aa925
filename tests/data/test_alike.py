"""How many near-duplicates are found, and how many distinct values are taken for some: the figures of the docs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.data.alike_media import (
    FILMS,
    PICTURES,
    RATE,
    SERIES,
    SOUNDS,
    film,
    hit,
    on_a_page,
    one_word,
    picture,
    save_film,
    save_picture,
    save_series,
    save_sound,
    sentence,
    sound,
    steps,
)
from trivium.data.alike import audio, image, near, series, text, video
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


@pytest.mark.parametrize(("change", "least"), [("JPEG, quality 30", 60), ("half the size", 60), ("30 % brighter", 56),
                                               ("30 % darker", 60)])
def test_things_on_a_white_page(tmp_path: Path, change: str, least: int) -> None:
    """A darker page is grey, and JPEG leaves spots on it: none of it may hide what the page shows."""
    every = [*(on_a_page(i) for i in range(COUNT)), *(PICTURES[change](on_a_page(i)) for i in range(COUNT))]
    prints = [image.print_of(save_picture(one, tmp_path / f"{i}.png"), tmp_path, None, None)
              for i, one in enumerate(every)]
    planted, others = found(image.pairs(np.stack([one for one in prints if one is not None]), LEAST.image or 1), COUNT)
    assert planted >= least and others == 0


def test_a_page_that_two_pictures_share_makes_no_twins(tmp_path: Path) -> None:
    """Two stripes within one frame, upright and lying: all around them is the same."""
    frame = np.full((64, 64), 255, np.uint8)
    frame[24:40, 24:40] = 0
    upright, lying = frame.copy(), frame.copy()
    upright[26:38, 28:32] = lying[28:32, 26:38] = 90
    prints = np.stack([image.print_of(save_picture(Image.fromarray(one), tmp_path / f"{i}.png"), tmp_path, None, None)
                       for i, one in enumerate((upright, lying, (0.7 * upright).astype(np.uint8)))])
    assert np.corrcoef(prints[:2])[0, 1] > 0.95  # of the whole pictures
    assert image.pairs(prints, 0.95).tolist() == [[0, 2]]


@pytest.mark.parametrize(("change", "least"), [("half as loud", 60), ("MP3", 60), ("noise at 25 dB", 42)])
def test_drum_hits(tmp_path: Path, change: str, least: int) -> None:
    """All die away in one manner, and are no twins for it: their spectrograms alone tie a hundred pairs of these."""
    every = [*(hit(i) for i in range(COUNT)), *(SOUNDS[change](hit(i), i) for i in range(COUNT))]
    prints = [audio.print_of(save_sound(one, tmp_path / f"{i}.wav"), tmp_path, None, None)
              for i, one in enumerate(every)]
    planted, others = found(audio.pairs(np.stack([one for one in prints if one is not None]), LEAST.audio or 1), COUNT)
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


@pytest.mark.parametrize(("change", "least"), [("another unit", 60), ("noise at 20 dB", 60),
                                               ("1 % cut off at the start", 60), ("half the rate", 60)])
def test_series(tmp_path: Path, change: str, least: int) -> None:
    every = [*(steps(i) for i in range(COUNT)), *(SERIES[change](steps(i), i) for i in range(COUNT))]
    rates = [RATE] * COUNT + [RATE / 2 if change == "half the rate" else RATE] * COUNT
    prints = [series.print_of(save_series(one, tmp_path / f"{i}.npz", rate), tmp_path, None, None)
              for i, (one, rate) in enumerate(zip(every, rates, strict=True))]
    planted, others = found(series.pairs(np.stack([one for one in prints if one is not None]), LEAST.series or 1),
                            COUNT)
    assert planted >= least and others == 0


def test_a_part_of_a_series_is_compared_with_parts(tmp_path: Path) -> None:
    name = save_series(steps(0), tmp_path / "a.npz")
    spans = ((0.0, 4.0), (0.04, 4.0), (5.0, 9.0), (None, None))
    own = [series.print_of(name, tmp_path, *span) for span in spans]
    assert series.pairs(np.stack([one for one in own if one is not None]), 0.99).tolist() == [[0, 1]]


def test_series_of_other_numbers_of_channels_are_not_alike(tmp_path: Path) -> None:
    names = [save_series(steps(0)[:, :count], tmp_path / f"{count}.npz") for count in (1, 2, 3, 3)]
    own = [series.print_of(name, tmp_path, None, None) for name in names]
    assert series.pairs(np.stack([one for one in own if one is not None]), 0.99).tolist() == [[2, 3]]


@pytest.mark.parametrize(("change", "least"), [("encoded again", 20), ("half the size", 20), ("half the frames", 20),
                                               ("with bars above and below", 20), ("three frames cut off", 19),
                                               ("30 % darker", 20)])
@pytest.mark.slow
def test_clips_of_one_room(tmp_path: Path, change: str, least: int) -> None:
    count = 20
    own = [film(i) for i in range(count)]
    plain: list[tuple[list[np.ndarray], dict[str, Any]]] = [(one, {}) for one in own]
    every = plain + [FILMS[change](one) for one in own]
    prints = [video.print_of(save_film(one, tmp_path / f"{i}.mp4", **options), tmp_path, None, None)
              for i, (one, options) in enumerate(every)]
    planted, others = found(video.pairs(np.stack([one for one in prints if one is not None]), LEAST.video or 1), count)
    assert planted >= least and others == 0


def test_another_thing_that_moves_through_the_same_room_is_another_clip() -> None:
    """The room is nearly all that is seen, so that the pictures alone agree; other rooms are beside it."""
    rooms = np.random.default_rng(0).normal(0, 1, (20, 16, 16))

    def seen(room: int, row: int, step: int) -> np.ndarray:
        shown = np.tile(rooms[room], (8, 1, 1))
        for k in range(8):
            shown[k, row, (step * k) % 16] += 2.0
        return np.concatenate([[2.0], ((shown - shown.mean()) / shown.std()).ravel()]).astype(np.float16)

    prints = np.stack([seen(0, 2, 1), seen(0, 11, 3), seen(0, 2, 1) * np.float16(0.998),
                       *(seen(room, 2, 1) for room in range(1, 20))])
    assert video.pairs(prints, 0.95).tolist() == [[0, 2]]


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
    for size in ((40, 40), (40, 20), (20, 60)):  # what is no square stands on a page when it is decoded
        grey = save_picture(Image.new("RGB", size, "grey"), tmp_path / "a.png")
        assert image.print_of(grey, tmp_path, None, None) is None
    assert image.print_of("none.png", tmp_path, None, None) is None
    assert audio.print_of(save_sound(np.zeros(16_000), tmp_path / "a.wav"), tmp_path, None, None) is None
    assert audio.print_of("none.wav", tmp_path, None, None) is None
    flat = save_series(np.full((50, 1), 3.0), tmp_path / "a.npz")
    assert series.print_of(flat, tmp_path, None, None) is None
    assert series.print_of("none.npz", tmp_path, None, None) is None
    dark = save_film([np.full((32, 32, 3), 90, np.uint8)] * 5, tmp_path / "a.mp4")
    assert video.print_of(dark, tmp_path, None, None) is None
    assert video.print_of("none.mp4", tmp_path, None, None) is None


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
