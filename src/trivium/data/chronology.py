"""Splits that follow time: what is learned from came first, what is validated on later, what is tested on last."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data import tables
from trivium.data.moments import Moments, read
from trivium.data.out import Part
from trivium.data.settings import Split, Stream
from trivium.settings.errors import UserError

TRAIN, VAL, TEST, _, UNUSED, _ = range(len(tables.SPLITS))
FREE, BARE = -1, -2  # not yet in a split: those with a label, and those without


class Time(Part):
    """Of a split that follows time. dates: whether times are dates, otherwise numbers;  first, last: of the rows with
    a label in each split;  later: how much test is after train, by their medians, in days or in the column's numbers.
    """

    dates: bool
    first: dict[str, str]
    last: dict[str, str]
    later: float


def place(fixed: np.ndarray, samples: pa.Table, groups: np.ndarray, settings: Split) -> tuple[list[str], Time]:
    """Put every FREE row of `fixed` on its side, in place: TRAIN, VAL, TEST or UNUSED. Returns warnings and the dates.

    No row of train is as late as the first of val, and none of val as late as the first of test. A group is on the side
    of its latest row, and its earlier rows are UNUSED: they would tell the past something of the future. So are rows
    without a time, and rows without a label (BARE) that are later than train.

    fixed: int8 [N];  samples: N rows with `sample` and `time`;  groups: int64 [N]

    Raises:
        UserError: no times, fewer than three different ones, or shares or groups that leave a side without a row.
    """
    if settings.val + settings.test >= 1:
        raise UserError(f"split.val ({settings.val:g}) and split.test ({settings.test:g}) leave nothing to train on: "
                        "lower them in params.yaml until their sum is well below 1.")
    given = samples["time"] if "time" in samples.column_names else pa.chunked_array([pa.nulls(len(fixed), pa.string())])
    if given.null_count == len(given):
        raise UserError("split.method is `time`, but no sample of this data has a time: name the column that says it "
                        "(data.manifest.time in params.yaml), or set split.method to holdout.")
    found = read(given)
    if np.isnan(found.value).all():
        raise UserError(f"split.method is `time`, but no time can be read, such as {_example(found, samples)}. Write "
                        "dates as 2026-01-31 or 2026-01-31T12:30:00, or write numbers, such as years.")
    warnings = [f"Times are numbers, read as {found.unit} since 1970 (UTC)."] if found.unit else []
    warnings += _coarse(found, samples) + _without_time(fixed, found, samples)
    free = np.flatnonzero(fixed == FREE)
    starts = _starts(found.value[free], settings)
    own = np.searchsorted(starts, found.value, side="right")  # 0, 1, 2 are TRAIN, VAL, TEST
    latest = np.full(int(groups.max(initial=-1)) + 1, TRAIN)
    np.maximum.at(latest, groups[free], own[free])
    torn = free[own[free] < latest[groups[free]]]
    fixed[free] = own[free]
    fixed[torn] = UNUSED
    if len(torn):
        warnings.append(f"{_rows(len(torn))} unused: a later row of the same group, or with the same content, is in a "
                        "later split.")
    bare = np.flatnonzero(fixed == BARE)
    late = bare[own[bare] > TRAIN]
    fixed[late] = UNUSED
    if len(late):
        warnings.append(f"{_rows(len(late))} unused: they have no label, and are later than train.")
    _check(fixed[free])
    return warnings + _shares(fixed[free], settings), _told(fixed, free, found)


def _without_time(fixed: np.ndarray, found: Moments, samples: pa.Table) -> list[str]:
    """Rows without a time that can be read are UNUSED, in place; returns warnings."""
    waiting = np.isin(fixed, (FREE, BARE)) & np.isnan(found.value)
    fixed[waiting] = UNUSED
    wrong = int((waiting & found.wrong).sum())
    said = {"no time": int(waiting.sum()) - wrong}
    if wrong:
        said[f"a time that cannot be read, such as {_example(found, samples)}"] = wrong
    return [f"{_rows(count)} unused: {'they have' if count > 1 else 'it has'} {what}."
            for what, count in said.items() if count]


def _coarse(found: Moments, samples: pa.Table) -> list[str]:
    if found.coarse is None or not found.coarse.any():
        return []
    row = int(np.argmax(found.coarse))
    count = int(found.coarse.sum())
    return [f"{count:,} row{'s say' if count > 1 else ' says'} only a year or a month, such as `"
            f"{samples['time'][row].as_py()}` of the sample `{samples['sample'][row].as_py()}`, where others say a "
            "day: they count as its first day, and may stand before what they are later than."]


def _example(found: Moments, samples: pa.Table) -> str:
    row = int(np.argmax(found.wrong))
    return f"`{samples['time'][row].as_py()}` of the sample `{samples['sample'][row].as_py()}`"


def _rows(count: int) -> str:
    return f"{count:,} row{'s are' if count != 1 else ' is'}"


def _starts(times: np.ndarray, settings: Split) -> np.ndarray:
    """The first time of val and that of test: those that come nearest to the shares. Equal times stay together."""
    distinct, counts = np.unique(times, return_counts=True)
    if len(distinct) < 3:
        raise UserError(f"split.method is `time`, but rows with a label have {len(distinct)} different "
                        f"time{'s' * (len(distinct) != 1)}, and three are needed: one each for train, val and test. "
                        "Name a column with finer times (data.manifest.time), or set split.method to holdout.")
    before = np.cumsum(counts)[:-1] / len(times)  # share of rows before each time but the first
    test = 1 + int(np.argmin(np.abs(before[1:] - (1 - settings.test))))
    val = int(np.argmin(np.abs(before[:test] - (1 - settings.test - settings.val))))
    return distinct[[val + 1, test + 1]]


def _check(sides: np.ndarray) -> None:
    for side in (TRAIN, VAL, TEST):
        if not (sides == side).any():
            raise UserError(f"No row is left for {tables.SPLITS[side]} when the splits follow time: its rows are of "
                            "groups, or have content, that come again later. Give a finer `group` column or none "
                            "(data.manifest.group: \"\" in params.yaml), or set split.method to holdout.")


def _shares(sides: np.ndarray, settings: Split) -> list[str]:
    counts = np.array([(sides == side).sum() for side in (TRAIN, VAL, TEST)])
    shares = counts / counts.sum()
    return [f"{tables.SPLITS[side]} holds {shares[side]:.0%} of the samples instead of {want:.0%}: many rows have the "
            "same time, or groups reach over several splits."
            for side, want in ((VAL, settings.val), (TEST, settings.test)) if abs(shares[side] - want) > 0.05]


def _told(fixed: np.ndarray, free: np.ndarray, found: Moments) -> Time:
    times = {tables.SPLITS[side]: found.value[free[fixed[free] == side]] for side in (TRAIN, VAL, TEST)}
    later = float(np.median(times["test"]) - np.median(times["train"]))
    return Time(dates=found.dates, first={side: found.words(own.min()) for side, own in times.items()},
                last={side: found.words(own.max()) for side, own in times.items()},
                later=round(later / 86_400 if found.dates else later, 6))


def read_by_models(column: str, streams: Mapping[str, Stream]) -> list[str]:
    """What is said where models read the column of times, too: later rows have values of it that they never saw."""
    return [f"The column `{column}` says when a row is from, and `{name}` gives it to the models, too: those of later "
            f"rows lie outside of all that they have learned. Take it out of data.streams.{name}.columns in "
            "params.yaml if it is to say nothing else." for name, stream in streams.items() if column in
            (stream.columns or ())]


def ignored(samples: pa.Table) -> list[str]:
    """What is said where the data names a split, which a split by time does not read."""
    given = samples.column_names.count("split") and pc.count(samples["split"]).as_py()
    return ["The data's own split column is not used: split.method is `time`."] if given else []
