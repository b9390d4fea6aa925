"""Of classes: the confusion matrix of the strategy that is looked at, and its result per class."""

from __future__ import annotations

from dataclasses import dataclass

from trivium.drawing import numbers
from trivium.report import results
from trivium.report.inputs import Inputs
from trivium.report.parts import Cell, Figure, Table
from trivium.tasks.scores import confusion_in

MATRIX = 24  # classes; with more, only the most frequent confusions are listed
MOST = 24  # rows of the tables


@dataclass(frozen=True)
class Context:
    """`strategy`: the one whose answers these are, of `seeds` seeds."""

    lead: str
    mistakes: Figure
    classes: Figure | None
    strategy: str
    seeds: int


def context(inputs: Inputs) -> Context | None:
    seeds = inputs.seeds(inputs.shown)
    predictions = inputs.root / f"reports/evaluate/{inputs.shown}/predictions.parquet"
    if inputs.task is None or not inputs.task.categorical or not predictions.exists():
        return None
    labels = list(inputs.task.categories)
    total = confusion_in(predictions, len(labels)).tolist()
    wrong = sorted(
        ((total[i][j], i, j) for i in range(len(labels)) for j in range(len(labels)) if i != j and total[i][j]),
        key=lambda item: (-item[0], item[1], item[2]),
    )
    title = f"“{inputs.titles[inputs.shown]}”"
    matrix = _matrix(labels, total) if len(labels) <= MATRIX else _frequent(labels, total, wrong)
    return Context(_lead(labels, total, wrong, title), matrix, _per_class(inputs, labels), title, len(seeds))


def _lead(labels: list[str], total: list[list[int]], wrong: list[tuple[int, int, int]], strategy: str) -> str:
    if not wrong:
        return f"{strategy} made no mistake on the test samples."
    count, i, j = wrong[0]
    mistakes = sum(item[0] for item in wrong)
    return (
        f"The most frequent mistake is “{labels[i]}” taken for “{labels[j]}”: {numbers.whole(count)} of "
        f"{numbers.whole(sum(total[i]))} samples of that class, and {numbers.percent(count / mistakes, 0)} of all "
        "mistakes."
    )


def _matrix(labels: list[str], total: list[list[int]]) -> Figure:
    rows = []
    for i, label in enumerate(labels):
        size = sum(total[i]) or 1
        cells = [Cell(label, head=True)]
        for j, other in enumerate(labels):
            share = total[i][j] / size
            shown = "" if total[i][j] == 0 else f"{100 * share:.0f}" if share >= 0.005 else "·"
            cells.append(
                Cell(
                    shown,
                    shade=share**0.5 if share else None,
                    tip=f"{label} answered as {other}: {total[i][j]} of {size} ({share:.1%})",
                    classes="hit" if i == j else "",
                )
            )
        rows.append(cells)
    content = Table("Confusion matrix", ["true ↓ answer →", *labels], rows, classes="confusion")
    return Figure(content, "Percent of the row's class; the stronger the colour, the more. The diagonal is right.")


def _frequent(labels: list[str], total: list[list[int]], wrong: list[tuple[int, int, int]]) -> Figure:
    rows = [
        [
            Cell(labels[i], labels[i], head=True),
            Cell(labels[j], labels[j]),
            Cell(numbers.whole(count), count, classes="number"),
            Cell(numbers.percent(count / sum(total[i])), count / sum(total[i]), classes="number"),
        ]
        for count, i, j in wrong[:MOST]
    ]
    return Figure(
        Table("Most frequent mistakes", ["true class", "answer", "samples", "of the class"], rows, sort=True),
        f"The {len(rows)} most frequent of {len(wrong)} kinds of mistake.",
    )


def _per_class(inputs: Inputs, labels: list[str]) -> Figure | None:
    everything = {label: of for label, of in results.means(inputs).items() if label in labels and "f1" in of}
    if not everything:
        return None
    found = results.hardest(everything, "f1", MOST)
    caption = (
        "Per class, mean over seeds."
        if len(found) == len(labels)
        else f"The {MOST} hardest of {len(labels)} classes, mean over seeds."
    )
    return Figure(results.table(inputs, found, "Results per class", "class", "f1"), caption)
