"""What each stream is: how much of it there is, how large its values are, which are the same, which are missing."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from trivium.drawing import numbers
from trivium.drawing.charts import bar
from trivium.modalities import is_prose, is_written
from trivium.report.look import languages
from trivium.report.look.seen import Seen
from trivium.report.parts import Cell, Figure, Table

MOST = 12  # patterns of missing streams, classes beside streams
READ = 2000  # texts whose language is guessed
FEWEST, APART = 30, 0.3  # samples of a class that is compared, and by how much shares differ: by chance they hardly do
MEASURES = {"characters": "characters", "words": "words", "width": "pixels wide", "height": "pixels high",
            "seconds": "seconds", "sample_rate": "Hz", "duration": "seconds", "points": "points",
            "channels": "channels", "gaps": "share of gaps"}


def there(seen: Seen) -> Figure:
    """A line for each stream."""
    rows = []
    for k, stream in enumerate(seen.streams):
        count = int(seen.present[:, k].sum())
        modality = seen.modality(stream)
        name = stream if is_written(modality) else f"{stream}_digest"
        unique = pc.count_distinct(seen.column(name)).as_py()
        rows.append([Cell(stream, head=True), Cell(modality), Cell(numbers.whole(count), classes="number"),
                     Cell(numbers.percent(count / max(seen.rows, 1)), bar=bar(count / max(seen.rows, 1)),
                          classes="number"),
                     Cell(numbers.whole(unique), classes="number")])
    return Figure(Table("Streams", ["stream", "modality", "samples", "share of all", "different values"], rows),
                  title="What is there", wide=True)


def sizes(seen: Seen) -> Figure | None:
    """Least, median and largest of what validation measured."""
    rows = []
    for stream, found in (seen.validation.get("measures") or {}).items():
        rows += [[Cell(stream, head=True), Cell(MEASURES.get(name, name)),
                  *(Cell(f"{span[key]:,.6g}", classes="number") for key in ("min", "median", "max"))]
                 for name, span in found.items()]
    return Figure(Table("Sizes of the values", ["stream", "measured in", "least", "median", "largest"], rows),
                  title="Lengths, sizes, durations", wide=True) if rows else None


def spoken(seen: Seen) -> Figure | None:
    """Languages of the texts."""
    rows = []
    for stream in seen.streams:
        if is_prose(seen.modality(stream)):
            texts = seen.column(stream).drop_null()
            some = texts.take(np.unique(np.linspace(0, len(texts) - 1, min(READ, len(texts))).astype(int)))
            rows += [[Cell(stream, head=True), Cell(name), Cell(numbers.percent(share), bar=bar(share),
                                                               classes="number")]
                     for name, share in languages.shares(some.to_pylist())[:5]]
    caption = (f"A guess, from the script and from small words such as \u201cthe\u201d, of {READ:,} texts at most: "
               "short texts often have none of them.")
    return Figure(Table("Languages", ["stream", "language", "texts"], rows), caption, "Languages") if rows else None


def patterns(seen: Seen) -> Figure | None:
    """Which streams are there together; None where no stream is ever missing."""
    if seen.present.all():
        return None
    found, counts = np.unique(seen.present, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST]
    rows = [[*(Cell("yes" if has else "–", head=k == 0) for k, has in enumerate(found[one].tolist())),
             Cell(numbers.whole(int(counts[one])), classes="number"),
             Cell(numbers.percent(counts[one] / seen.rows), bar=bar(counts[one] / seen.rows), classes="number")]
            for one in order]
    left = len(found) - len(rows)
    return Figure(Table("Which streams are there together", [*seen.streams, "samples", "share"], rows),
                  f"{left} rarer patterns are not shown." if left else "", "Which are there together", wide=True)


def tells(seen: Seen) -> list[str]:
    """A sentence for each stream that one class has and another lacks, by far more than chance makes of it."""
    task, said = seen.task, []
    if seen.present.all() or not task.categorical:
        return []
    counts = np.bincount(seen.strata[seen.strata >= 0], minlength=len(task.categories))
    kinds = np.flatnonzero(counts >= FEWEST)
    for k, stream in enumerate(seen.streams):
        shares = np.array([seen.present[seen.strata == kind, k].mean() for kind in kinds])
        if len(kinds) and shares.max() - shares.min() > APART:
            most, least = kinds[shares.argmax()], kinds[shares.argmin()]
            said.append(f"{numbers.percent(shares.max())} of {task.categories[most]} have {stream}, and "
                        f"{numbers.percent(shares.min())} of {task.categories[least]}: a model can tell these by what "
                        "is missing. Ask whether it will be so for new data, too.")
    return said


def by_class(seen: Seen) -> Figure | None:
    """The share of samples of each class that have each stream; None where none is ever missing, or without classes."""
    task = seen.task
    if seen.present.all() or not task.categorical:
        return None
    counts = np.bincount(seen.strata[seen.strata >= 0], minlength=len(task.categories))
    rows = []
    for k in np.argsort(-counts, kind="stable")[:MOST].tolist():
        if not counts[k]:
            continue
        shares = seen.present[seen.strata == k].mean(0).tolist()
        rows.append([Cell(task.categories[k], head=True), Cell(numbers.whole(int(counts[k])), classes="number"),
                     *(Cell(numbers.percent(share), shade=share, classes="number") for share in shares)])
    return Figure(Table("Streams per class", [task.category[0], "samples", *seen.streams], rows, classes="heat"),
                  "The share of the samples of each that have the stream. Where this differs, what is missing tells "
                  "the answer.", f"What each {task.category[0]} has", wide=True)
