"""Text: Unicode NFC, white space collapsed, cut into tokens.

The tokenizer is trained on the train rows of a seed: byte-level BPE (Sennrich et al. 2016, arXiv 1508.07909; bytes as
in Radford et al. 2019) inside words and marks. Its alphabet is the bytes that train has, so that a sign it never saw is
one unknown token rather than an embedding that was never trained.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from trivium.modalities.augmented import text as augmented
from trivium.settings.base import Section
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa
    from tokenizers import Encoding, Tokenizer

    from trivium.modalities.spec import Spec

SPECIAL = ("[PAD]", "[UNK]", "[MASK]")  # ids 0, 1, 2
PIECES = 10_000  # of one sort that the trainer is given at a time
Augment, augment = augmented.Settings, augmented.augment


class Settings(Section):
    length: Annotated[int, Field(ge=4, le=4096)] = 64  # tokens
    vocab: Annotated[int, Field(ge=16, le=200_000)] = 4096  # entries at most, of a trained tokenizer
    tokenizer: str = "trained"  # trained | a hub id | a local folder


def spec(settings: Settings) -> Spec:
    from trivium.modalities.spec import Spec

    return Spec("text", "tokens", (settings.length,), settings.vocab)


def clean(value: str) -> str:
    """Unicode NFC; every run of white space one space, none at the ends; no NUL or lone surrogates."""
    readable = value.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")
    return " ".join(unicodedata.normalize("NFC", readable).split())


def probe(value: str, root: str | Path = "", start: float | None = None, end: float | None = None) -> dict[str, Any]:
    """{"characters"} of the cleaned text, or {"error": why}."""
    if not isinstance(value, str):
        return {"error": f"not text but {type(value).__name__}"}
    return {"characters": len(clean(value))}


def fitted(settings: Settings) -> bool:
    """Whether the tokenizer depends on the texts that it is fitted on."""
    return settings.tokenizer == "trained"


def fit(texts: Iterable[str], settings: Settings) -> tuple[Tokenizer, Spec]:
    """A tokenizer that cuts and pads to `length`, and what models need to know of it.

    texts: of the train rows. Raises: UserError (the ready-made tokenizer is not to be had).
    """
    words: Counter[str] = Counter()
    if fitted(settings):
        for text in texts:
            words.update(clean(text).split(" "))
    return learned(words, settings)


def learned(words: Mapping[str, int], settings: Settings) -> tuple[Tokenizer, Spec]:
    """As `fit`. words: how often each word stands in the cleaned train rows, what is between two spaces."""
    native: tuple[int, ...] = ()
    if fitted(settings):
        tokenizer = _train(words, settings.vocab)
    else:
        tokenizer, native = _ready_made(settings.tokenizer)
    tokenizer.enable_truncation(settings.length)
    pad = native[0] if native else 0
    tokenizer.enable_padding(length=settings.length, pad_id=pad, pad_token=tokenizer.id_to_token(pad))
    return tokenizer, replace(spec(settings), vocab=tokenizer.get_vocab_size(), native=native)


def load(text: str) -> Tokenizer:
    """A tokenizer from what `fit` gave and `save` wrote."""
    from tokenizers import Tokenizer

    return Tokenizer.from_str(text)


def measures(texts: pa.ChunkedArray) -> dict[str, np.ndarray]:
    """What `probe` measures, of all texts at once: float64, NaN where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from trivium.modalities.prose import cleaned

    found = [pc.utf8_length(cleaned(chunk)).cast(pa.float64()) for chunk in texts.chunks]
    return {"characters": pc.fill_null(pa.chunked_array(found, pa.float64()), float("nan")).to_numpy()}


def encode(texts: list[str], tokenizer: Tokenizer, spec: Spec) -> np.ndarray:
    """int32 [B, T] of raw texts, with a `tokenizer` made by `fit`."""
    return cut(texts, tokenizer, spec)[0]


def cut(texts: list[str], tokenizer: Tokenizer, spec: Spec) -> tuple[np.ndarray, np.ndarray]:
    """As `encode`; and how many tokens each text has kept and lost behind `length`, int64 [B, 2]."""
    tokenizer.encode_special_tokens = True  # a text that says "[PAD]" means these five signs
    found = tokenizer.encode_batch([clean(text) for text in texts])
    ids = np.array([one.ids for one in found], np.int32)
    counts = np.array([[_own(one), sum(map(_own, one.overflowing))] for one in found], np.int64).reshape(-1, 2)
    return (np.argsort(spec.native_ids()).astype(np.int32)[ids] if spec.native else ids), counts


def corrupt(text: str, severity: float, words: Sequence[str], draw: np.random.Generator) -> str:
    """`text`, cleaned, in which each word becomes, with probability `severity`, one of `words`, drawn evenly. At 1 only
    the number of words is left. The same `draw` changes the same words at every severity, and more of them.
    """
    own = text.split()
    changed = draw.random(len(own)) < severity
    drawn = draw.integers(len(words), size=len(own))
    return " ".join(words[k] if hit else word for word, hit, k in zip(own, changed, drawn, strict=True))


def _own(found: Encoding) -> int:
    """Tokens of the text itself: neither padding nor what a model wants around it."""
    return sum(real and not special for real, special in
               zip(found.attention_mask, found.special_tokens_mask, strict=True))


def _train(counts: Mapping[str, int], vocab: int) -> Tokenizer:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=SPECIAL[1], fuse_unk=True))
    words, marks = pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)
    cut = pre_tokenizers.Sequence([words, marks, as_bytes])
    pieces: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for word, count in counts.items():
        for piece, _ in cut.pre_tokenize_str(word):
            pieces[piece] += count
            for sign in piece:
                seen[sign] += count
    # The trainer would break ties between rare bytes at random, so the alphabet is chosen here.
    alphabet = sorted(seen, key=lambda sign: (-seen[sign], sign))[: vocab - len(SPECIAL)]
    trainer = trainers.BpeTrainer(vocab_size=vocab, min_frequency=2, special_tokens=list(SPECIAL), show_progress=False,
                                  initial_alphabet=alphabet, limit_alphabet=len(alphabet))
    tokenizer.pre_tokenizer = words  # no piece has white space in it
    tokenizer.train_from_iterator(_repeated(pieces), trainer)
    tokenizer.pre_tokenizer = cut
    return tokenizer


def _repeated(pieces: Mapping[str, int]) -> Iterator[str]:
    """Each piece as often as it counts: the trainer takes nothing but texts."""
    for piece, count in pieces.items():
        for start in range(0, count, PIECES):
            yield f"{piece} " * min(PIECES, count - start)


def _ready_made(name: str) -> tuple[Tokenizer, tuple[int, ...]]:
    """The tokenizer of a published model and its ids of padding, unknown and mask."""
    from transformers import AutoTokenizer

    from trivium.machine import packages

    try:
        found = AutoTokenizer.from_pretrained(packages.folder(name), trust_remote_code=False)
    except Exception as error:  # nothing narrower: what tokenizers raise of a damaged file has no type of its own
        if "trust_remote_code" in str(error):
            raise UserError(packages.brings_code(name)) from None
        raise UserError(f"params.yaml: the tokenizer `{name}` is neither `trained`, nor on the Hugging "
                        f"Face hub, nor a local folder with a tokenizer ({str(error).splitlines()[0]}).") from None
    if len(found) <= len(set(found.all_special_ids)):  # made up, where there are no files of one
        raise UserError(f"params.yaml: the tokenizer `{name}` has no vocabulary: name a model, or a folder, that has "
                        "its tokenizer.json.")
    native = (found.pad_token_id, found.unk_token_id, found.mask_token_id)
    if None in native or len(set(native)) < 3 or not hasattr(found, "backend_tokenizer"):
        raise UserError(f"params.yaml: the tokenizer `{name}` lacks a padding, an unknown or a mask token "
                        "of its own: name the tokenizer of a masked language model (BERT, RoBERTa and the like).")
    return found.backend_tokenizer, native
