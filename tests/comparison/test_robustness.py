"""Curves of several strategies, and what is said of them."""

import pytest

from tests import networks
from trivium.comparison.robustness import effective, summary
from trivium.evaluation.metrics import Corruption, Robustness


def seed(audio: list[float]) -> Robustness:
    return Robustness.model_validate({
        "corruption": {"text": {"levels": [0.0, 1.0], "score": [0.9, 0.8], "relative": 0.85},
                       "audio": {"levels": [0.0, 1.0], "score": audio, "relative": sum(audio) / 2}},
        "misalignment": {"audio": {"0.0": 0.9, "1.0": 0.3}}, "shift": {"audio": {"0.0": 0.9, "0.1": 0.7}},
        "attacks": {"audio": {"fgsm": {"0.0": 0.9, "0.1": 0.2}, "pgd": {"0.0": 0.9, "0.1": 0.1}}},
    })


TITLES = {name: name.capitalize() for name in ("joint", "other", "only", "flat", "lost", "taken")}
SCORE = networks.task(2).shown


def test_effective_robustness_by_hand() -> None:
    """f falls by .1 and .3, late fusion by .2 and .5: (.0) + (.1) + (.2)."""
    assert effective([0.9, 0.8, 0.6], [0.7, 0.5, 0.2]) == pytest.approx(0.3)
    assert effective([0.7, 0.5, 0.2], [0.7, 0.5, 0.2]) == pytest.approx(0.0)


def test_summary() -> None:
    measured = {"joint": [seed([0.9, 0.3]), seed([0.7, 0.3])], "other": [seed([0.8, 0.6])] * 2}
    found = summary(measured, "joint", "joint", TITLES, SCORE)
    assert [one.plain() for one in found.corruption["audio"]["joint"]] == [
        {"level": 0.0, "score": {"mean": pytest.approx(0.8), "low": 0.7, "high": 0.9}},
        {"level": 1.0, "score": {"mean": pytest.approx(0.3), "low": 0.3, "high": 0.3}}]
    assert found.summary["other"]["audio"].plain() == {"relative": pytest.approx(0.7), "effective": pytest.approx(0.3)}
    assert found.summary["joint"]["text"].plain() == {"relative": pytest.approx(0.85), "effective": pytest.approx(0.0)}
    assert found.attacks["FGSM on audio"]["other"][1].plain() == {
        "level": 0.1, "score": {"mean": 0.2, "low": 0.2, "high": 0.2}}
    assert found.shift["audio"]["joint"][1].level == 0.1
    assert found.sentence == ("Noise on audio costs “Joint” most: 50 points of accuracy when nothing but noise is "
                                 "left; on average over all strengths of noise “Other” is the most accurate.")


def test_without_late_fusion_there_is_no_effective_robustness() -> None:
    found = summary({"only": [seed([0.9, 0.3])]}, None, "only", TITLES, SCORE)
    assert found.summary["only"]["audio"].plain() == {"relative": pytest.approx(0.6)}
    assert found.sentence.endswith("nothing but noise is left.")


def test_who_keeps_most_is_who_is_most_accurate_under_noise_not_who_falls_least() -> None:
    found = summary({"joint": [seed([0.9, 0.5])], "flat": [seed([0.4, 0.4])]}, "joint", "joint", TITLES, SCORE)
    assert found.summary["flat"]["audio"].effective > 0
    assert found.sentence.endswith("; on average over all strengths of noise no strategy is more accurate.")


def test_the_sentence_is_about_the_strategy_to_take_and_quiet_where_there_is_nothing_to_say() -> None:
    found = summary({"lost": [seed([0.9, 0.1])], "taken": [seed([0.7, 0.695])]}, None, "taken", TITLES, SCORE)
    assert found.sentence.startswith("Noise on text costs “Taken” most: 10 points of")
    deaf = seed([0.7, 0.7]).model_copy(update={
        "corruption": {"audio": Corruption(levels=[0.0, 1.0], score=[0.7, 0.69], relative=0.7)}})
    assert summary({"taken": [deaf]}, None, "taken", TITLES, SCORE).sentence == (
        "Noise on a single stream costs “Taken” next to nothing.")


def test_where_nothing_is_recommended_or_measured_nothing_is_said() -> None:
    assert summary({"joint": [seed([0.9, 0.3])]}, None, None, TITLES, SCORE).sentence == ""
    assert summary({"joint": [seed([0.9, 0.3])]}, "other", "taken", TITLES, SCORE).sentence == ""
