"""Which stream a strategy left unlearned."""

import pytest

from tests import networks
from trivium.comparison import laziness
from trivium.comparison.laziness import summary
from trivium.evaluation.metrics import Probe


def test_the_rule() -> None:
    assert laziness.Probe(before=0.3, after=0.49, alone=0.7).unlearned  # less than half of the way
    assert not laziness.Probe(before=0.3, after=0.51, alone=0.7).unlearned
    assert not laziness.Probe(before=0.3, after=0.3, alone=0.32).unlearned  # there is nothing to learn
    assert not laziness.Probe(before=0.3, after=0.3).unlearned  # nobody knows
    assert not laziness.Probe(after=0.3, alone=0.7).unlearned


TITLES = {"joint": "End to end", "ensemble": "Ensemble"}
READ = {"image": "patches", "audio": "bands"}
ALONE = {"ensemble": READ}
READERS = {"joint": READ, "ensemble": READ}
SCORE = networks.task(2).shown


def test_summary() -> None:
    measured = {
        "joint": [{"image": Probe(before=0.3, after=0.3), "audio": Probe(before=0.5, after=0.9)},
                  {"image": Probe(before=0.1, after=0.3), "audio": Probe(before=0.5, after=0.9)}],
        "ensemble": [{"image": Probe(before=0.3, after=0.8), "audio": Probe(before=0.5, after=0.9)}] * 2,
    }
    found = summary(measured, ALONE, READERS, TITLES, SCORE)
    assert found.strategies["joint"]["image"].plain() == {
        "before": pytest.approx(0.2), "after": pytest.approx(0.3), "alone": pytest.approx(0.8)}
    assert found.unlearned == {"joint": ["image"]}
    assert found.sentence == ("“End to end” taught its image encoder less than half of what training alone does: a "
                                 "linear probe gets 30% from `patches` (20% before any training, 80% trained alone).")
    still = summary(measured, ALONE, READERS, TITLES, SCORE, still={"joint"})
    assert still.unlearned == {} and still.sentence == (
        "No strategy was found to leave image or audio unlearned.")
    few = summary(measured, ALONE, READERS, TITLES, SCORE, samples={"image": 99, "audio": 100})
    assert few.unlearned == {} and few.sentence == (
        "No strategy was found to leave audio unlearned; of image that cannot be said.")
    assert summary(measured, ALONE, READERS, TITLES, SCORE, samples={"image": 16, "audio": 16}).sentence == (
        "Fewer than 100 test samples cannot tell which stream was left unlearned.")


def test_another_encoder_trained_alone_is_no_reference() -> None:
    measured = {name: [{"image": Probe(before=0.3, after=after)}]
                for name, after in (("joint", 0.3), ("ensemble", 0.8))}
    other = {"ensemble": {"image": "resnet"}}
    found = summary(measured, other, READERS | other, TITLES, SCORE)
    assert found.strategies["joint"]["image"].alone is None and found.unlearned == {}


def test_when_nobody_was_trained_alone_nothing_is_said() -> None:
    found = summary({"joint": [{"image": Probe(before=0.3, after=0.3)}]}, {}, READERS, TITLES, SCORE)
    assert found.sentence == "" and found.unlearned == {}
    assert found.strategies["joint"]["image"].alone is None


def said(probes: dict[str, Probe]) -> str:
    return str(summary({"ensemble": [probes]}, ALONE, READERS, TITLES, SCORE).sentence)


def test_what_is_said_when_nothing_is_unlearned() -> None:
    fine = {"image": Probe(before=0.3, after=0.8), "audio": Probe(before=0.5, after=0.51)}
    assert said(fine) == "No strategy was found to leave image unlearned; of audio that cannot be said."
    assert said({"audio": Probe(before=0.99, after=0.99)}) == (
        "Before any training a linear probe gets 99% from the audio encoder: there is little to learn.")
    assert said({"audio": Probe(before=0.5, after=0.51)}) == (
        "Nothing was learned from any stream alone that a linear probe could read.")


def test_what_one_seed_denies_may_be_chance() -> None:
    measured = {"joint": [{"image": Probe(before=0.3, after=after)} for after in (0.28, 0.41)],
                "ensemble": [{"image": Probe(before=0.3, after=0.4)}] * 2}
    assert summary(measured, ALONE, READERS, TITLES, SCORE).unlearned == {}
    measured["joint"][1]["image"] = Probe(before=0.3, after=0.35)
    assert summary(measured, ALONE, READERS, TITLES, SCORE).unlearned == {"joint": ["image"]}
