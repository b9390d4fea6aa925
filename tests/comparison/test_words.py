"""Sentences from bits."""

from trivium.comparison.words import Shared, sentence, together, training


def parts(redundant: float, one: float, two: float, synergistic: float, names: str) -> Shared:
    a, b = names.split("+")
    return Shared(redundant=redundant, unique={a: one, b: two}, synergistic=synergistic, net=synergistic - redundant)


def test_nothing_found() -> None:
    bits = {"text": 0.0, "image": 0.01, "text+image": 0.04}
    pairs = {"text+image": parts(0, 0, 0.01, 0.03, "text+image")}
    assert sentence(2.0, bits, pairs) == "No encoder found the label in text and image: 0.04 of 2.00 bits."
    assert training(2.0, bits, pairs) == ""


def test_one_stream() -> None:
    assert sentence(2.0, {"audio": 1.5}, {}) == "1.50 of 2.00 bits were found in audio."
    assert training(2.0, {"audio": 1.5}, {}) == ""


def test_no_rule_applies() -> None:
    bits = {"text": 1.0, "image": 0.8, "text+image": 1.3}
    pairs = {"text+image": parts(0.5, 0.5, 0.3, 0.0, "text+image")}
    assert sentence(2.0, bits, pairs) == "Most was found in text, 1.00 of 2.00 bits, and the others add to it."


def test_synergy_must_outweigh_what_is_shared() -> None:
    bits = {"text": 1.0, "image": 1.0, "text+image": 1.9}
    assert together(bits, {"text+image": parts(0.7, 0.3, 0.3, 0.6, "text+image")}) == []
    bits = {"text": 0.5, "image": 0.5, "text+image": 1.9}
    assert together(bits, {"text+image": parts(0.1, 0.4, 0.4, 1.0, "text+image")}) == ["text", "image"]


def test_without_parts_the_net_synergy_decides() -> None:
    bits = {"text": 0.1, "image": 0.1, "text+image": 1.0}
    said = sentence(1.0, bits, {"text+image": Shared(net=0.8)})
    assert said == "The answer needs text and image together: 0.80 of 1.00 bits were found in neither alone."


def test_without_parts_what_the_pair_lacks_is_shared() -> None:
    bits = {"text": 9.0, "image": 7.0, "text+image": 9.0}
    pairs = {"text+image": Shared(net=-7.0)}
    assert sentence(10.0, bits, pairs) == (
        "Most of what was found in image was found in text too; image added nothing to the others.")
    assert training(10.0, bits, pairs).startswith("Each stream can be learned alone, and they overlap")
    assert "found in text too" not in sentence(10.0, bits, {"text+image": Shared(net=-4.0)})


def test_what_no_model_found_overlaps_with_nothing() -> None:
    bits = {"text": 1.0, "image": 0.01, "text+image": 1.0}
    pairs = {"text+image": parts(0.01, 0.99, 0.0, 0.0, "text+image")}
    assert sentence(2.0, bits, pairs) == (
        "What was found in text was found nowhere else; the image encoder found little.")
    assert training(2.0, bits, pairs) == (
        "These encoders found little outside text: a model of text alone may come close, and another encoder for the "
        "rest may find more.")


def test_what_is_said_of_a_stream_is_said_of_the_encoders_that_read_it() -> None:
    bits = {"text": 0.02, "image": 1.0, "text+image": 1.0}
    pairs = {"text+image": parts(0.01, 0.01, 0.99, 0.0, "text+image")}
    assert sentence(2.0, bits, pairs, {"text": {"words": 0.02}, "image": {"patches": 1.0}}).endswith(
        "; the text encoder `words` found little.")
    assert sentence(2.0, bits, pairs, {"text": {"ngrams": 0.03, "words": 0.02}}).endswith(
        "; the text encoders `ngrams` and `words` found little.")
    more = {"text": 0.6, "image": 1.0, "text+image": 1.5}
    pairs = {"text+image": parts(0.1, 0.5, 0.9, 0.0, "text+image")}
    assert sentence(2.0, more, pairs, {"text": {"minilm": 0.6, "words": 0.02}}).endswith(
        "; in text the encoder `words` found little, `minilm` 0.60 of 2.00 bits.")
    assert "`" not in sentence(2.0, more, pairs, {"text": {"minilm": 0.6, "words": 0.55}})
