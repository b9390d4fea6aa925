"""The sections of the report, in reading order. Each is one function from the inputs to HTML, empty without its inputs.

To add one, write `sections/<name>.py` with `body(inputs: Inputs) -> Html` and name it here.
"""

from trivium.report.sections import (
    attributions,
    budgets,
    calibration,
    ceilings,
    components,
    contributions,
    cost,
    data,
    disagreements,
    errors,
    learning,
    machine,
    pairs,
    provenance,
    reading,
    robustness,
    similarity,
    strategies,
    subsets,
)

SECTIONS = (
    ("strategies", "The comparison", strategies.body),
    ("pairs", "Strategy against strategy", pairs.body),
    ("cost", "What it costs", cost.body),
    ("machine", "What it takes on this machine", machine.body),
    ("budgets", "With less or more compute and labels", budgets.body),
    ("learning", "How they learned", learning.body),
    ("components", "The components alone", components.body),
    ("streams", "When a stream is missing", subsets.body),
    ("contributions", "What each stream gives", contributions.body),
    ("ceilings", "How far from the best possible", ceilings.body),
    ("robustness", "How robust the answers are", robustness.body),
    ("errors", "What is mistaken for what", errors.body),
    ("calibration", "Can the confidence be trusted", calibration.body),
    ("disagreements", "Where the strategies disagree", disagreements.body),
    ("similarity", "How alike the strategies are", similarity.body),
    ("attributions", "Why this answer", attributions.body),
    ("data", "The data", data.body),
    ("reading", "How to read this", reading.body),
    ("provenance", "Where this comes from", provenance.body),
)
