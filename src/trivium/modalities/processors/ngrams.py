"""Text as counts of word 1- and 2-grams and of character 2- to 4-grams inside words, hashed into buckets.

Cut as scikit-learn's TfidfVectorizer does by default (words) and with `char_wb` (characters; the spaces around a word
belong to it). Hashed, so that nothing is fitted and no seed matters; with a fixed hash, so that the buckets are the
same on every machine.

Ids 1 to `buckets` / 2 are of words, those above of characters; 0 is padding.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from hashlib import blake2b
from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import Field

from trivium.modalities import text
from trivium.modalities.spec import Spec
from trivium.settings.base import Section

MODALITY = "text"
LONGEST = 4  # characters of an n-gram inside a word
WORDS = re.compile(r"\b\w\w+\b").findall
KEPT, LONG = 1 << 16, 32  # words whose n-grams are remembered; letters of those that are not worth it


class Settings(Section):
    buckets: Annotated[int, Field(ge=256, le=2**24, multiple_of=2)] = 2**18  # of words and characters together


def spec(settings: Settings) -> Spec:
    return Spec("text", "counts", (settings.buckets,))


def counts(texts: Iterable[str], settings: Settings) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each raw text: ids int32 [L], sorted, each once; and how often, int32 [L]. An empty text has none."""
    half = settings.buckets // 2
    return [_count(text.clean(raw.lower()), half) for raw in texts]


def encode(texts: list[str], settings: Settings, spec: Spec) -> np.ndarray:
    """The same as one array, int32 [B, L, 2] of id and count; 0 behind those with fewer than L, which is at least 1."""
    found = counts(texts, settings)
    padded = np.zeros((len(found), max([1, *(len(ids) for ids, _ in found)]), 2), np.int32)
    for row, (ids, often) in zip(padded, found, strict=True):
        row[: len(ids)] = np.stack([ids, often], 1)
    return padded


def _count(cleaned: str, half: int) -> tuple[np.ndarray, np.ndarray]:
    words = WORDS(cleaned)
    found = [1 + _bucket(gram, half) for gram in words]
    found += [1 + _bucket(f"{one} {two}", half) for one, two in pairwise(words)]
    for word in cleaned.split():
        found += _inside(word, half) if len(word) < LONG else _cut(word, half)
    ids, often = np.unique(np.array(found, np.int32), return_counts=True)
    return ids, often.astype(np.int32)


def _cut(word: str, half: int) -> tuple[int, ...]:
    """Ids of the character n-grams of `word` between spaces; one that is no longer than n is an n-gram once."""
    padded = f" {word} "
    grams = [padded[k: k + n] for n in range(2, min(LONGEST, len(padded)) + 1) for k in range(len(padded) - n + 1)]
    return tuple(1 + half + _bucket(gram, half) for gram in grams)


_inside = functools.lru_cache(KEPT)(_cut)


@functools.lru_cache(KEPT)
def _bucket(gram: str, buckets: int) -> int:
    """0 to `buckets` - 1, from 64 bits of BLAKE2b (RFC 7693)."""
    return int.from_bytes(blake2b(gram.encode(), digest_size=8).digest(), "big") % buckets
