import time
from collections import Counter
from hashlib import blake2b

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.feature_extraction.text import CountVectorizer

from trivium.modalities.processors import ngrams

SETTINGS = ngrams.Settings()
HALF = 2**17


def ids(text, settings=SETTINGS):
    found, often = ngrams.counts([text], settings)[0]
    return dict(zip(found.tolist(), often.tolist(), strict=True))


def test_the_bucket_of_a_word_never_changes():
    assert blake2b(b"hello", digest_size=8).hexdigest() == "a7b6eda801e5347d"
    words = [k for k in ids("hello") if k <= HALF]
    assert words == [1 + 0xA7B6EDA801E5347D % HALF] == [78974]
    assert sorted(ids("a")) == [139429, 169450, 183304]  # " a", "a " and " a " are characters, "a" is no word


def test_words_and_characters_are_cut_as_scikit_learn_cuts_them():
    texts = ["The cat, the CAT sat!", "a", "Ünïcode naïve 12 x", "it's 3.5% off", " ", "one\ttwo\n\nthree"]
    for text in texts:
        for analyser, lengths, first in (("word", (1, 2), 0), ("char_wb", (2, 4), HALF)):
            grams = CountVectorizer(analyzer=analyser, ngram_range=lengths).build_analyzer()(text)
            hashed = Counter(1 + first + int.from_bytes(blake2b(g.encode(), digest_size=8).digest(), "big") % HALF
                             for g in grams)
            assert {k: n for k, n in ids(text).items() if (k > HALF) == (first > 0)} == hashed


def test_ids_are_sorted_once_each_and_of_32_bits():
    found, often = ngrams.counts(["go go go, gogo"], SETTINGS)[0]
    assert found.dtype == often.dtype == np.int32
    assert (np.diff(found) > 0).all() and found.min() >= 1 and found.max() <= 2 * HALF
    assert ids("go go go, gogo")[1 + ngrams._bucket("go", HALF)] == 3


def test_case_and_the_way_an_accent_is_written_do_not_matter():
    assert ids("CAFÉ  noir") == ids("cafe\u0301 noir") == ids("café noir")


def test_nothing_is_counted_in_nothing_and_a_lone_surrogate_is_no_error():
    assert ids("") == ids(" \n") == {}
    assert ids("\ud800 ok")


def test_a_word_too_long_to_be_remembered_is_cut_the_same():
    word = "ab" * 40
    assert ngrams._inside(word, HALF) == ngrams._cut(word, HALF)
    assert len(ngrams._cut(word, HALF)) == 81 + 80 + 79
    assert sum(n for k, n in ids(word).items() if k > HALF) == 240


def test_few_buckets_still_keep_words_and_characters_apart():
    settings = ngrams.Settings(buckets=256)
    found = ids("some words that fall into few buckets", settings)
    assert max(found) <= 256 and sum(n for k, n in found.items() if k <= 128) == 7 + 6
    with pytest.raises(ValidationError):
        ngrams.Settings(buckets=257)


def test_thousands_of_tweets_take_a_second():
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), n)) for n in rng.integers(2, 10, 5000)]
    texts = [" ".join(words[k] for k in np.minimum(rng.zipf(1.3, 14), 5000) - 1) for _ in range(1000)]
    start = time.process_time()
    ngrams.counts(texts, SETTINGS)
    assert time.process_time() - start < 1  # measured: 0.2 s
