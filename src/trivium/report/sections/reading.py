"""How to read the report, in plain words."""

from __future__ import annotations

from typing import Any

from trivium.drawing import numbers
from trivium.drawing.markup import Html, h
from trivium.report.inputs import Inputs


def body(inputs: Inputs) -> Html:
    settings = inputs.comparison.get("settings") or {}
    terms = [(term, text) for term, text in _terms(settings, bool(inputs.world), _groups(inputs)) if text]
    return h("dl", [[h("dt", term), h("dd", text)] for term, text in terms], class_="terms")


def _groups(inputs: Inputs) -> str:
    """A sentence, where the test samples belong together."""
    about = inputs.comparison.get("dataset") or {}
    groups, samples = about.get("test_groups"), about.get("test")
    if not groups or not samples or groups > 0.9 * samples:
        return ""
    return (
        f" The {numbers.whole(samples)} samples of a test set are of {numbers.whole(groups)} groups, and what is hard "
        "about a group is hard in all of its samples: whole groups are resampled."
    )


def _terms(settings: dict[str, Any], world: bool, groups: str) -> list[tuple[str, str]]:
    confidence = numbers.percent(settings.get("confidence", 0.95), 0)
    threshold = numbers.percent(settings.get("threshold", 0.75), 0)
    return [
        (
            "Winner",
            "A strategy is called the winner only if, against every other one, the interval of the difference holds no "
            f"zero, it does better with a probability of at least {threshold}, and the interval of that probability "
            "stays above one half. Any other claim that one strategy is better than another must hold after a "
            "correction for the number of pairs as well (Holm). Where there is no winner, the cheapest of those that "
            "nobody beats is recommended. That is an answer too: the expensive way is not worth it here. Not "
            "recommended is what stays behind the most accurate one with an interval that holds no zero, even where "
            "that is too little to call it worse.",
        ),
        (
            "Interval",
            f"Were the whole comparison repeated with other seeds and other test samples, about {confidence} of such "
            "intervals would hold the true value. It is made of how much seeds differ and, by resampling, of how "
            f"much test samples do.{groups}",
        ),
        (
            "Seed",
            "One repetition. Split, initial weights and data order change together from seed to seed, and all "
            "strategies share them: seed 3 of one strategy is compared with seed 3 of another.",
        ),
        (
            "Failed",
            "The share of seeds in which the model did no better than always giving the most common label. A good "
            "mean with failures is a gamble.",
        ),
        (
            "Compute",
            "FLOP counts the arithmetic of training, pretraining included. Every strategy may spend the same amount "
            "per seed.",
        ),
        (
            "Accuracy, macro F1",
            "Accuracy is the share of right answers. Macro F1 weighs every class alike, however rare it is.",
        ),
        (
            "NLL, Brier, ECE",
            "How good the stated probabilities are; lower is better. ECE is the mean gap between confidence and "
            "accuracy.",
        ),
        (
            "Best possible",
            "The data was generated, so the accuracy of a perfect reader of all signals is known; noise in the "
            "signals keeps real models below it."
            if world
            else "",
        ),
    ]
