"""How to read the report, in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from trivium.comparison.out import Dataset
from trivium.drawing import numbers
from trivium.report import glossary
from trivium.report.inputs import Inputs
from trivium.report.sections.strategies import null
from trivium.report.sections.verdict import groups


@dataclass(frozen=True)
class Context:
    """`words`, `close`: of the metric that ranks;  `reference`: its title, empty without one;  `groups`: a sentence
    where the test samples belong together;  `generated`: whether the data was;  `metrics`: terms and what they mean;
    `ceiling`: what the best possible is of;  `by_time`: whether the splits follow time.
    """

    confidence: str
    threshold: str
    words: str
    close: str
    null: str
    reference: str
    groups: str
    generated: bool
    metrics: list[tuple[str, str]]
    ceiling: str
    by_time: bool


def context(inputs: Inputs) -> Context:
    settings = inputs.comparison.settings
    return Context(
        numbers.percent(settings.confidence, 0),
        numbers.percent(settings.threshold, 0),
        inputs.metric.words,
        inputs.metric.close_words,
        null(inputs),
        inputs.titles.get(settings.reference, ""),
        _groups(inputs.comparison.dataset),
        inputs.world is not None,
        glossary.terms(inputs.metrics),
        inputs.score.words,
        inputs.comparison.settings.split == "time",
    )


def _groups(about: Dataset) -> str:
    """A sentence, where the test samples belong together."""
    if not groups(about):
        return ""
    whole, each, samples = about.groups, about.test_groups, numbers.whole(about.test)
    of = f"{whole} groups" if each == whole else f"{each:.3g} of the {whole} groups"
    said = f"The {samples} samples of a test set are of {of}, and what is hard about a group is hard in all of it"
    return f"{said}: whole groups are resampled." if about.resampled else (
        f"{said}. Too few to resample: the intervals speak of these groups alone, and are too narrow for new ones."
    )
