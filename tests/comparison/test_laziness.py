"""Which modality a strategy left unlearned."""

import pytest

from trivium.comparison.laziness import summary, unlearned


def test_the_rule() -> None:
    def probes(before: float, after: float, alone: float | None) -> dict[str, dict[str, float | None]]:
        return {"image": {"before": before, "after": after, "alone": alone}}

    assert unlearned(probes(0.3, 0.49, 0.7)) == ["image"]  # less than half of the way
    assert unlearned(probes(0.3, 0.51, 0.7)) == []
    assert unlearned(probes(0.3, 0.3, 0.32)) == []  # there is nothing to learn
    assert unlearned(probes(0.3, 0.3, None)) == []  # nobody knows


def test_summary() -> None:
    measured = {
        "joint": [{"image": {"before": 0.3, "after": 0.3}, "audio": {"before": 0.5, "after": 0.9}},
                  {"image": {"before": 0.1, "after": 0.3}, "audio": {"before": 0.5, "after": 0.9}}],
        "ensemble": [{"image": {"before": 0.3, "after": 0.8}, "audio": {"before": 0.5, "after": 0.9}}] * 2,
    }
    found = summary(measured, "ensemble")
    assert found["strategies"]["joint"]["image"] == {
        "before": pytest.approx(0.2), "after": pytest.approx(0.3), "alone": pytest.approx(0.8)}
    assert found["unlearned"] == {"joint": ["image"]}
    assert found["sentence"] == (
        "joint left image unlearned: a linear probe gets 30% from its image encoder and 80% from one trained alone.")


def test_when_nobody_was_trained_alone_nothing_is_said() -> None:
    found = summary({"joint": [{"image": {"before": 0.3, "after": 0.3}}]}, None)
    assert found["sentence"] == "" and found["unlearned"] == {}
    assert found["strategies"]["joint"]["image"]["alone"] is None


def test_what_is_said_when_nothing_is_unlearned() -> None:
    fine = {"image": {"before": 0.3, "after": 0.8}, "audio": {"before": 0.5, "after": 0.51}}
    assert summary({"ensemble": [fine]}, "ensemble")["sentence"] == "No strategy left image unlearned."
    plain = {"audio": {"before": 0.99, "after": 0.99}}
    assert summary({"ensemble": [plain]}, "ensemble")["sentence"] == (
        "Before any training a linear probe gets 99% from the audio encoder: there is little to learn.")
    poor = {"audio": {"before": 0.5, "after": 0.51}}
    assert summary({"ensemble": [poor]}, "ensemble")["sentence"] == (
        "Nothing was learned from any modality alone that a linear probe could read.")


def test_what_one_seed_denies_may_be_chance() -> None:
    measured = {"joint": [{"image": {"before": 0.3, "after": after}} for after in (0.28, 0.41)],
                "ensemble": [{"image": {"before": 0.3, "after": 0.4}}] * 2}
    assert summary(measured, "ensemble")["unlearned"] == {}
    measured["joint"][1]["image"]["after"] = 0.35
    assert summary(measured, "ensemble")["unlearned"] == {"joint": ["image"]}
