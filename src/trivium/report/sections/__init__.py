"""The sections of the report, in reading order.

Each is `sections/<name>.py` with `context(inputs: Inputs) -> Context | None`, which is None without its inputs, and
`templates/<name>.html`, which is rendered with the fields of that context. To add one, write both and name it here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from trivium.report.inputs import Inputs
from trivium.report.sections import (
    attributions,
    budgets,
    calibration,
    ceilings,
    clock,
    components,
    contributions,
    cost,
    counterfactuals,
    data,
    disagreements,
    errors,
    latency,
    learning,
    machine,
    pairs,
    predicted,
    provenance,
    reading,
    robustness,
    similarity,
    strategies,
    subsets,
    tags,
    together,
    tuning,
)


@dataclass(frozen=True)
class Section:
    """`key`: its address in the page;  `context`: from the inputs to a dataclass."""

    key: str
    title: str
    context: Callable[[Inputs], object | None]

    @property
    def template(self) -> str:
        return f"{self.context.__module__.rpartition('.')[2]}.html"


@dataclass(frozen=True)
class Group:
    """`title`: a question that its sections answer; empty where they stand for themselves. What is `folded` is there
    for those who ask.
    """

    title: str
    sections: tuple[Section, ...]
    folded: bool = False


GROUPS = (
    Group("", (Section("strategies", "The comparison", strategies.context),)),
    Group("Why", (
        Section("cost", "What it costs", cost.context),
        Section("latency", "How fast it answers", latency.context),
        Section("contributions", "What each stream gives", contributions.context),
        Section("streams", "When a stream is missing", subsets.context),
        Section("ceilings", "How much was learned", ceilings.context),
        Section("attributions", "Why this answer", attributions.context),
        Section("counterfactuals", "What if a stream came from another sample?", counterfactuals.context),
    )),
    Group("How sure", (
        Section("pairs", "Strategy against strategy", pairs.context),
        Section("robustness", "How robust the answers are", robustness.context),
        Section("calibration", "Can the confidence be trusted", calibration.context),
    )),
    Group("What next", (
        Section("budgets", "With less or more compute and labels", budgets.context),
        Section("learning", "How they learned", learning.context),
        Section("tuning", "What tuning chose", tuning.context),
        Section("errors", "What is mistaken for what", errors.context),
        Section("tags", "Tag by tag", tags.context),
        Section("predicted", "Predicted against true", predicted.context),
        Section("disagreements", "Where the strategies disagree", disagreements.context),
        Section("similarity", "How alike the strategies are", similarity.context),
        Section("together", "All strategies together", together.context),
    )),
    Group("The rest", (
        Section("reading", "How to read this", reading.context),
        Section("machine", "What it takes on this machine", machine.context),
        Section("components", "The components alone", components.context),
        Section("clock", "What met in time", clock.context),
        Section("data", "The data", data.context),
        Section("provenance", "Where this comes from", provenance.context),
    ), folded=True),
)  # fmt: skip
