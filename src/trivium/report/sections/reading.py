"""How to read the report, in plain words."""

from __future__ import annotations

from typing import Any

from trivium.drawing import numbers
from trivium.drawing.markup import Html, h
from trivium.report.inputs import Inputs
from trivium.report.sections.strategies import null
from trivium.report.sections.verdict import groups


def body(inputs: Inputs) -> Html:
    terms = [(term, text) for term, text in _terms(inputs) if text]
    return h("dl", [[h("dt", term), h("dd", text)] for term, text in terms], class_="terms")


def _groups(about: dict[str, Any]) -> str:
    """A sentence, where the test samples belong together; `about`: `dataset` of the comparison."""
    if not groups(about):
        return ""
    whole, each, samples = round(about["groups"]), about["test_groups"], numbers.whole(about["test"])
    of = f"{whole} groups" if each == whole else f"{each:.3g} of the {whole} groups"
    said = f" The {samples} samples of a test set are of {of}, and what is hard about a group is hard in all of it"
    return f"{said}: whole groups are resampled." if about.get("resampled", True) else (
        f"{said}. Too few to resample: the intervals speak of these groups alone, and are too narrow for new ones."
    )


def _terms(inputs: Inputs) -> list[tuple[str, str]]:
    settings = inputs.comparison.get("settings") or {}
    confidence = numbers.percent(settings.get("confidence", 0.95), 0)
    threshold = numbers.percent(settings.get("threshold", 0.75), 0)
    world, metric = bool(inputs.world), inputs.metric
    return [
        (
            "Winner",
            "A strategy is called the winner only if, against every other one, the interval of the difference holds no "
            f"zero, it does better with a probability of at least {threshold}, and the interval of that probability "
            "stays above one half. Any other claim that one strategy is better than another must hold after a "
            "correction for the number of pairs as well (Holm). Where there is no winner, the cheapest of those that "
            f"nobody beats is recommended, unless it may lose more than {metric.close} to the best. Not recommended is "
            "what stays behind the best with an interval that holds no zero, even where that is too little to call it "
            "worse.",
        ),
        (
            "Learned",
            f"In {metric.words}, a strategy has learned something if it is surely better than {null(inputs)}: its "
            "models are, after Holm's correction for the number of strategies, and so would others be that are trained "
            "with new seeds. What has not is never recommended.",
        ),
        (
            "Reference",
            f"“{inputs.titles[settings['reference']]}” is the simple way that others must beat: it is recommended "
            f"unless an interval says that another is better, or lets it be better by more than {metric.close}."
            if settings.get("reference") in inputs.titles
            else "",
        ),
        (
            "Interval",
            f"Were the whole comparison repeated with other seeds and other test samples, about {confidence} of such "
            "intervals would hold the true value. It is made of how much seeds differ and, by resampling, of how "
            f"much test samples do.{_groups(inputs.comparison.get('dataset') or {})}",
        ),
        (
            "Seed",
            "One repetition. Split, initial weights and data order change together from seed to seed, and all "
            "strategies share them: seed 3 of one strategy is compared with seed 3 of another.",
        ),
        (
            "Failed",
            f"The share of seeds in which the model is not surely better than {null(inputs)}. A good mean with "
            "failures is a gamble.",
        ),
        (
            "Compute",
            "FLOP counts the arithmetic of training, that of the recipe included. Every strategy may spend the same "
            "amount per seed. What published weights once cost is in no budget here.",
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
