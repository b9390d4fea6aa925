"""Bits of the worlds, found again from ideal predictions on drawn symbols."""

from itertools import combinations

import numpy as np
import pytest

from trivium.comparison.information import decompose, summary
from trivium.data.sources.worlds import STREAMS, world
from trivium.evaluation.metrics import Information, Nll


def ideal(name: str, seeds: int = 2, n: int = 20_000) -> list[Information]:
    """What `trivium.evaluation.information.measure` would find of a model that knows the world's rule."""
    rules = world(name, 4)
    found = []
    for seed in range(seeds):
        y, symbols = rules.draw(np.random.default_rng(seed), n)
        subsets, tables = {}, {}
        for size in (1, 2, 3):
            for shown in combinations(range(3), size):
                unseen = tuple(1 + k for k in range(3) if k not in shown)
                p = rules.joint.sum(axis=unseen)
                p = p / np.maximum(p.sum(axis=0), 1e-300)
                at = tuple(symbols[STREAMS[k]] for k in shown)
                nll = float(-np.log(p[(y, *at)]).mean())
                subsets["+".join(STREAMS[k] for k in shown)] = Nll(val=nll, test=nll)
                if size == 1:
                    table = np.zeros((rules.classes, rules.classes + 1), int)
                    np.add.at(table, (y, p[(slice(None), *at)].argmax(axis=0)), 1)
                    tables[STREAMS[shown[0]]] = table.tolist()
        found.append(Information(subsets=subsets, labels=np.bincount(y).tolist(), tables=tables))
    return found


def known(text: float, both: Nll) -> Information:
    return Information(subsets={"text": Nll(val=text, test=text), "image": Nll(val=0.7, test=0.7), "text+image": both},
                       labels=[150, 150], tables={m: [[75, 75, 0], [75, 75, 0]] for m in ("text", "image")})


@pytest.mark.parametrize("name", ["redundant", "dominant", "unique", "synergy", "mixed"])
def test_the_bits_of_every_world(name: str) -> None:
    found = summary({"ideal": ideal(name)}, STREAMS)
    known = world(name, 4)
    for shown, bits in found.bits.items():
        assert bits.mean == pytest.approx(known.bits(tuple(shown.split("+"))), abs=0.03), shown
    for pair, parts in found.pairs.items():
        assert parts.redundant + sum(parts.unique.values()) + parts.synergistic == pytest.approx(
            found.bits[pair].mean)
        assert min(parts.redundant, *parts.unique.values(), parts.synergistic) >= -1e-9


@pytest.mark.parametrize(("name", "said", "training"), [
    ("redundant", "Most of what was found in image and audio was found in text too.", "Each stream can be learned"),
    ("dominant", "Most of what was found in text and image was found in audio too.", "Each stream can be learned"),
    ("unique", "What was found in text, image and audio was found nowhere else.", "The streams know different things"),
    ("synergy", "The answer needs text and image together: 1.00 of 1.00 bits were found in neither alone; "
                "the audio encoder found little.",
     "What text and image say together cannot be learned"),
    ("mixed", "The answer needs image and audio together: 1.00 of 2.00 bits were found in neither "
              "alone; most of what was found in text was found in image too; text added nothing to the others.",
     "What image and audio say together cannot be learned"),
])
def test_what_is_said_of_every_world(name: str, said: str, training: str) -> None:
    found = summary({"ideal": ideal(name)}, STREAMS)
    assert found.sentence == said
    assert found.training.startswith(training)


def test_each_set_takes_the_model_that_validation_prefers() -> None:
    def seed(text: float, both: float) -> Information:
        return known(text, Nll(val=both, test=both + 0.3))

    found = summary({"a": [seed(0.3, 0.6)], "b": [seed(0.5, 0.2)]}, ("text", "image"))
    assert [found.bits[s].strategy for s in ("text", "text+image")] == ["a", "b"]
    assert found.entropy == 1.0
    assert found.bits["text"].mean == pytest.approx(1 - 0.3 / np.log(2))
    # On test, b's 0.5 nats are worse than text alone: a set knows what its subsets know.
    assert found.bits["text+image"].mean == pytest.approx(1 - 0.3 / np.log(2))
    assert found.bits["image"].mean == 0.0


def test_many_classes_have_bits_but_no_parts() -> None:
    subsets = {s: Nll(val=1.0, test=1.0) for s in ("text", "image", "text+image")}
    one = Information(subsets=subsets, labels=[1] * 64, tables={})
    parts = summary({"a": [one]}, ("text", "image")).pairs["text+image"]
    assert parts.redundant is None and parts.synergistic is None
    assert parts.net == pytest.approx(-(6 - 1 / np.log(2)))


def test_redundancy_gives_way_where_the_bits_ask_for_more() -> None:
    parts = decompose(one=1.0, two=0.8, both=1.0, share=0.5)
    assert parts == pytest.approx({"redundant": 0.8, "unique_first": 0.2, "unique_second": 0.0, "synergistic": 0.0,
                                   "net": -0.8})


def test_what_a_noisier_copy_knows_is_all_redundant() -> None:
    """Text is right in 3 of 4, audio in 9 of 10: text could be made from audio, so it has nothing of its own."""
    pairs = summary({"ideal": ideal("dominant")}, STREAMS).pairs
    for pair, bits in (("text+audio", 1.01), ("image+audio", 0.45), ("text+image", 0.45)):
        worse = "text" if pair == "text+audio" else "image"
        assert pairs[pair].unique[worse] == pytest.approx(0.0, abs=0.03), pair
        assert pairs[pair].redundant == pytest.approx(bits, abs=0.04), pair


def test_of_few_samples_nothing_is_said_to_be_anywhere() -> None:
    measured = known(0.3, Nll(val=0.1, test=0.1)).model_copy(update={"labels": [32, 32]})
    found = summary({"a": [measured, measured]}, ("text", "image"))
    assert (found.sentence, found.training) == ("128 test samples, all seeds together, are too few to say which stream "
                                                "holds what: figures below may be chance.", "")
    more = measured.model_copy(update={"labels": [75, 75]})
    assert summary({"a": [more, more]}, ("text", "image")).sentence.startswith("The answer needs text and image")


def test_encoders_are_held_apart_and_what_was_not_measured_is_not_said() -> None:
    measured = {name: [known(text, Nll(val=text, test=text))] for name, text in (("a", 0.69), ("b", 0.3), ("c", 0.1))}
    readers = {"a": {"text": "words", "image": "patches"}, "b": {"text": "minilm", "image": "patches"},
               "c": {"text": "minilm", "image": "patches"}}
    found = summary(measured, ("text", "image"), readers)
    assert list(found.encoders["text"]) == ["minilm", "words"]
    assert found.encoders["text"]["minilm"] == pytest.approx(1 - 0.1 / np.log(2))
    assert "in text the encoder `words` found little, `minilm` 0.86 of 1.00 bits" in found.sentence
    for one in measured.values():
        del one[0].subsets["text+image"]
    some = summary(measured, ("text", "image"), readers)
    assert (some.sentence, some.training, some.pairs) == ("", "", {})
    assert some.bits["text"].strategy == "c"
