"""Many texts at once, as Arrow columns: cleaned, their words counted, and cut into tokens, each different word once.

A trained tokenizer first cuts at white space, and what it makes of a word does not depend on the words around it. So a
word's tokens are worked out once and looked up, and the bytes are those of `text.cut`.

Legend: `B` texts, `W` words in all of them, `U` different words, `S` seeds, `T` tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.modalities.text import clean

if TYPE_CHECKING:
    from tokenizers import Tokenizer

UNCLEAN = r"[^ -~]|^ |  | $"  # what `clean` may change
KEEP = 1 << 17  # words whose tokens are remembered


def cleaned(texts: pa.Array) -> pa.Array:
    """`text.clean` of each, null where there is none."""
    odd = pc.fill_null(pc.match_substring_regex(texts, UNCLEAN), False)
    if not pc.any(odd).as_py():
        return texts
    mended = pa.array([clean(text) for text in texts.filter(odd).to_pylist()], pa.string())
    return pc.replace_with_mask(texts, odd, mended)


def counted(texts: pa.Array, seen: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The different words of cleaned `texts`, none null, and int64 [S, U]: how often each seed sees each.

    seen: bool [S, B], whether a seed sees a text.
    """
    code, words, sizes = _words(texts)
    whose = np.repeat(seen, sizes, axis=1)
    return words.to_pylist(), np.stack([np.bincount(code[own], minlength=len(words)) for own in whose])


class Cutter:
    """What `text.cut` does with a tokenizer that was trained here, for many texts."""

    def __init__(self, tokenizer: Tokenizer, length: int) -> None:
        self.length = length
        self._tokenizer = type(tokenizer).from_str(tokenizer.to_str())
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True  # a text that says "[PAD]" means these five signs
        self._known: dict[str, list[int]] = {}

    def cut(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """int32 [B, T] of cleaned `texts`, none null, and how many tokens each has kept and lost, int64 [B, 2]."""
        code, words, sizes = _words(texts)
        tokens = self._tokens(words.to_pylist())
        count = np.array([len(one) for one in tokens], np.int64)
        start = np.cumsum(count) - count
        flat = np.array([token for one in tokens for token in one], np.int32)
        each = count[code]  # tokens of each word, [W]
        row = np.repeat(np.repeat(np.arange(len(texts)), sizes), each)
        total = np.bincount(row, minlength=len(texts))
        token = np.arange(len(row)) - np.repeat(np.cumsum(each) - each - start[code], each)
        place = np.arange(len(row)) - np.repeat(np.cumsum(total) - total, total)
        kept = place < self.length
        ids = np.zeros((len(texts), self.length), np.int32)
        ids[row[kept], place[kept]] = flat[token[kept]]
        within = np.minimum(total, self.length)
        return ids, np.stack([within, total - within], 1)

    def _tokens(self, words: Sequence[str]) -> list[list[int]]:
        if len(self._known) > KEEP:
            self._known.clear()
        new = [word for word in words if word not in self._known]
        self._known |= {word: found.ids for word, found in
                        zip(new, self._tokenizer.encode_batch(new), strict=True)}
        return [self._known[word] for word in words]


def _words(texts: pa.Array) -> tuple[np.ndarray, pa.Array, np.ndarray]:
    """Which of the different words each word is, int [W]; these; and int64 [B], words of each text."""
    lists = pc.split_pattern(texts, " ")
    once = lists.flatten().dictionary_encode()
    return once.indices.to_numpy(), once.dictionary, pc.list_value_length(lists).to_numpy().astype(np.int64)
