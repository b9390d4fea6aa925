import numpy as np

from trivium.data.sources.words import DIGITS, LANGUAGES, PHRASES, mistype, phrase, word


def test_words_of_all_languages() -> None:
    assert word(7, "en") == "seven"
    assert word(0, "fr") == "zéro"
    assert word(9, "pl") == "dziewięć"
    assert LANGUAGES == tuple(sorted(PHRASES))
    for language, digits in DIGITS.items():
        assert len(set(digits.split())) == 10
        assert all("{}" in template for template in PHRASES[language])


def test_without_typos_the_word_is_there() -> None:
    rng = np.random.default_rng(0)
    assert all("sept" in phrase(rng, 7, "fr", 0.0) for _ in range(20))


def test_typos_come_as_often_as_asked() -> None:
    """Each of the four kinds changes a row of different letters at least there."""
    rng = np.random.default_rng(0)
    clean = "abcdefghij" * 200
    assert mistype(rng, clean, 0.0) == clean
    letters = [mistype(rng, "abc def", 1.0) for _ in range(300)]
    assert sum(text == "abc def" for text in letters) < 5
    changed = sum(mistype(rng, "xy", 0.1) != "xy" for _ in range(4000)) / 4000
    assert 0.15 < changed < 0.20  # 1 - 0.9^2 = 0.19, less the letters that were replaced by themselves


def test_something_is_always_left() -> None:
    rng = np.random.default_rng(0)
    assert all(mistype(rng, "a", 1.0) for _ in range(200))
    assert all("  " not in mistype(rng, "a b c", 1.0) for _ in range(200))
