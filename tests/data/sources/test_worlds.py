"""The worlds against the table of known answers: bits and best accuracies for four symbols."""

import numpy as np
import pytest

from trivium.data.sources.worlds import NAMES, STREAMS, World, world

TABLE = {  # bits of text, image, audio, all; best accuracy on all
    "redundant": (1.50, 1.50, 1.50, 1.94, 0.987),
    "dominant": (1.01, 0.45, 1.50, 1.75, 0.941),
    "unique": (1, 1, 1, 3, 1),
    "synergy": (0, 0, 0, 1, 1),
    "mixed": (1, 1, 0, 2, 1),
}


@pytest.mark.parametrize("name", NAMES)
def test_bits_and_ceilings(name: str) -> None:
    meta = world(name, 4).meta()
    assert [round(meta.bits[key], 2) for key in (*STREAMS, "all")] == list(TABLE[name][:4])
    assert round(meta.bayes["all"], 3) == TABLE[name][4]


def test_ceilings_of_one_modality() -> None:
    assert world("dominant", 4).meta().bayes == {"text": 0.8125, "image": 0.625, "audio": 0.925, "all": 0.941406}
    assert world("dominant", 10).meta().bayes == {"text": 0.775, "image": 0.55, "audio": 0.91, "all": 0.938125}
    assert world("mixed", 4).meta().bayes == {"text": 0.5, "image": 0.5, "audio": 0.25, "all": 1.0}


def test_text_and_image_tell_the_answer_together_in_synergy() -> None:
    synergy = world("synergy", 4)
    assert synergy.bits(("text", "image")) == 1
    assert synergy.bits(("text", "audio")) == 0
    assert synergy.bayes(("text", "image")) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [4, 10])
def test_what_is_drawn_follows_the_joint_distribution(name: str, size: int) -> None:
    rules = world(name, size)
    n = 40_000
    y, symbols = rules.draw(np.random.default_rng(0), n)
    assert np.ptp(np.bincount(y, minlength=rules.classes)) <= 1
    seen = np.zeros(rules.joint.shape)
    np.add.at(seen, (y, *(symbols[m] for m in STREAMS)), 1 / n)
    assert seen[rules.joint == 0].sum() == 0
    assert np.abs(seen - rules.joint).max() < 0.008
    assert {m: rules.symbols(m) for m in STREAMS} == dict(zip(STREAMS, rules.joint.shape[1:], strict=True))


def test_the_rules_of_bits() -> None:
    rng = np.random.default_rng(1)

    def drawn(name: str) -> tuple[np.ndarray, ...]:
        y, symbols = world(name, 4).draw(rng, 500)
        return y, *(symbols[m] for m in STREAMS)

    y, text, image, audio = drawn("unique")
    assert (y == 4 * text + 2 * image + audio).all()
    y, text, image, audio = drawn("synergy")
    assert (y == text ^ image).all()
    y, text, image, audio = drawn("mixed")
    assert (y == 2 * text + (image % 2 ^ audio)).all()
    assert (image // 2 == text).all()


def test_one_certain_symbol_has_no_bits() -> None:
    assert World("certain", np.full((1, 1, 1, 1), 1.0)).bits() == 0
