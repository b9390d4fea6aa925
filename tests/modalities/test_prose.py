"""Many texts at once: the same as one by one."""

import random

import numpy as np
import pyarrow as pa
import pytest

from trivium.modalities import prose, text

WORDS = ["red", "re\u0301d", "don't", "3,5", "[PAD]", "  two", "tab\there", "日本", "\U0001f600", "z" * 40, "\x1f"]


def texts(seed: int, words: list[str]) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(words, k=draw.randint(0, 9))) for _ in range(60)]


def test_cleaned() -> None:
    raw = [*texts(0, WORDS), "", " a", "a ", "a  b"]
    assert prose.cleaned(pa.array([*raw, None])).to_pylist() == [*map(text.clean, raw), None]


@pytest.mark.parametrize("length", [4, 64])
def test_tokens_are_those_of_the_tokenizer(length: int) -> None:
    tokenizer, spec = text.fit(texts(0, WORDS[:6]), text.Settings(length=length, vocab=40))  # the others are unknown
    other = [*map(text.clean, texts(1, WORDS)), ""]
    ids, counts = prose.Cutter(tokenizer, length).cut(pa.array(other))
    expected, expected_counts = text.cut(other, tokenizer, spec)
    np.testing.assert_array_equal(ids, expected)
    np.testing.assert_array_equal(counts, expected_counts)
    assert counts[:, 1].any() == (length == 4)


def test_words_are_counted_for_each_seed() -> None:
    words, counts = prose.counted(pa.array(["a b a", "b", "c"]), np.array([[True, True, False], [False, True, True]]))
    assert dict(zip(words, counts.T.tolist(), strict=True)) == {"a": [2, 0], "b": [2, 1], "c": [0, 1]}
