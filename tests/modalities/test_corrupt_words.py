"""Strange words in a text."""

import numpy as np
import pytest

from trivium.modalities import text

SAID = " ".join(f"w{k}" for k in range(2000))
WORDS = ["red", "green"]


def corrupted(severity: float, said: str = SAID, key: int = 0) -> list[str]:
    return text.corrupt(said, severity, WORDS, np.random.default_rng(key)).split(" ")


def test_from_none_to_all() -> None:
    assert corrupted(0.0) == SAID.split(" ")
    assert set(corrupted(1.0)) == {"red", "green"} and len(corrupted(1.0)) == 2000
    assert corrupted(1.0).count("red") == pytest.approx(1000, abs=80)
    half = corrupted(0.5)
    assert len(half) == 2000 and sum(word in WORDS for word in half) == pytest.approx(1000, abs=80)


def test_the_same_words_change_at_every_severity_and_to_the_same() -> None:
    little, much, clean = corrupted(0.2), corrupted(0.6), SAID.split(" ")
    hit = [k for k in range(2000) if little[k] != clean[k]]
    assert len(hit) == pytest.approx(400, abs=60)
    assert all(much[k] == little[k] for k in hit)
    assert corrupted(0.2) == little != corrupted(0.2, key=1)


def test_nothing_stays_nothing() -> None:
    assert text.corrupt("", 1.0, WORDS, np.random.default_rng(0)) == ""
