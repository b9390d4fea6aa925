import os
import random
import subprocess
import sys

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from tests.helpers import ROOT
from trivium.modalities import text
from trivium.settings.errors import UserError

SETTINGS = text.Settings(length=24, vocab=256)
TINY = text.Settings(length=6, vocab=64)


def symbols(count: int = 300) -> list[str]:
    draw = random.Random(0)
    return [" ".join([f"k{draw.randrange(16):02}"] * 2 + [f"w{draw.randrange(40, 64)}" for _ in range(14)])
            for _ in range(count)]


def test_cleaning():
    assert text.clean(" e\u0301te\u0301 \n\t 7\u00a0h\0 ") == "\u00e9t\u00e9 7 h"
    assert text.clean("a\ud800b") == "a?b"  # a lone surrogate cannot be written to a file


def test_probe_counts_the_characters_that_are_left():
    assert text.probe("  e\u0301 a ") == {"characters": 3}
    assert text.probe(" \n ") == {"characters": 0}
    assert text.probe(3.5) == {"error": "not text but float"}


def test_symbols_are_one_token_each():
    tokenizer, spec = text.fit(symbols(), SETTINGS)
    ids = text.encode(["k03 w41 w63", *symbols(5)], tokenizer, spec)
    assert (ids != 0).sum(1).tolist() == [3, 16, 16, 16, 16, 16]
    assert ids.dtype == "int32" and ids.shape == (6, 24)
    assert spec.kind == "tokens" and spec.shape == (24,) and spec.vocab == tokenizer.get_vocab_size() <= 256
    assert [tokenizer.id_to_token(i) for i in range(3)] == ["[PAD]", "[UNK]", "[MASK]"]


def test_long_text_is_cut_and_short_text_is_padded_behind():
    tokenizer, spec = text.fit(["a b c d e f g h"] * 3, TINY)
    ids = text.encode(["h g f e d c b a", "a b"], tokenizer, spec)
    assert (ids[0] != 0).all() and ids[1, 2:].tolist() == [0, 0, 0, 0]
    assert ids[0, 4:].tolist() != ids[1, :2].tolist()  # what is cut is the end


def test_signs_that_train_lacks_are_one_unknown_token_a_word():
    tokenizer, spec = text.fit(["ab ba"] * 3, TINY)
    ids = text.encode(["ab \u65e5\u672c ab"], tokenizer, spec)[0].tolist()
    assert 1 in ids and ids.count(1) == 1


def test_a_text_cannot_name_padding_or_the_mask():
    tokenizer, spec = text.fit(["[PAD] [MASK] ab"] * 3, SETTINGS)
    ids = text.encode(["[PAD]", "ab [MASK]"], tokenizer, spec)
    assert (ids[:, 0] > 2).all() and not (ids == 2).any()


def test_words_in_another_notation_are_the_same_tokens():
    tokenizer, spec = text.fit(["\u00e9t\u00e9 chaud"] * 3, TINY)
    composed, decomposed = text.encode(["\u00e9t\u00e9  chaud", "e\u0301te\u0301 chaud "], tokenizer, spec)
    assert composed.tolist() == decomposed.tolist()


def test_the_vocabulary_stays_within_its_limit_even_when_there_are_more_signs():
    everything = ["".join(chr(33 + i) for i in range(90))] * 2
    tokenizer, spec = text.fit(everything, text.Settings(length=8, vocab=16))
    assert spec.vocab == 16 == tokenizer.get_vocab_size()


def test_the_same_text_gives_the_same_tokenizer_in_every_process():
    # Signs that are equally rare compete for the last places of the alphabet: ties must not be broken at random.
    code = ("from trivium.modalities import text;"
            "t, _ = text.fit(['abcdefghijklmnopqrstuvwxyz ' * 2, 'ABC, abc.'], text.Settings(length=8, vocab=20));"
            "print(t.to_str())")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    made = {subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True).stdout
            for _ in range(4)}
    assert len(made) == 1


def published(folder, **tokens):
    """A local folder as a hub checkpoint has it; ids: 0 mask, 1 a, 2 pad, 3 b, 4 unknown."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel({"<m>": 0, "a": 1, "<p>": 2, "b": 3, "<u>": 4}, unk_token="<u>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **tokens).save_pretrained(folder)
    return text.Settings(length=4, vocab=64, tokenizer=str(folder))


def test_a_ready_made_tokenizer_gets_our_ids_of_padding_unknown_and_mask(tmp_path):
    settings = published(tmp_path, pad_token="<p>", unk_token="<u>", mask_token="<m>")
    tokenizer, spec = text.fit([], settings)
    assert spec.vocab == 5 and spec.native == (2, 4, 0)
    ids = text.encode(["a b c"], tokenizer, spec)
    assert ids[0, 2:].tolist() == [1, 0]
    assert spec.native_ids()[ids].tolist() == [[1, 3, 4, 2]]
    assert spec.native_ids()[:3].tolist() == [2, 4, 0] and sorted(spec.native_ids()) == [0, 1, 2, 3, 4]


def test_a_tokenizer_without_a_mask_or_that_is_nowhere_is_told(tmp_path):
    with pytest.raises(UserError, match="mask token of its own"):
        text.fit([], published(tmp_path, pad_token="<p>", unk_token="<u>"))
    with pytest.raises(UserError, match=r"neither `trained`, nor on the Hugging Face hub, nor a local folder"):
        text.fit([], text.Settings(length=4, vocab=64, tokenizer=str(tmp_path / "nothing")))
