"""What good data looks like, judged by Great Expectations; the only file that imports it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trivium.data import tables
from trivium.data.settings import Validate
from trivium.machine.imports import fast

if TYPE_CHECKING:
    import pandas as pd

LONG = "seconds long"
RANGES = {  # measurement: its range in params.yaml, its unit
    "characters": ("text_length", "characters"),
    "width": ("image_side", "pixels wide"),
    "height": ("image_side", "pixels high"),
    "seconds": ("audio_seconds", LONG),
}


@dataclass(frozen=True)
class Rule:
    """One expectation.

    says: what is expected, in words.  expectation: name of a class of great_expectations.expectations
    reason: why a row that fails goes to quarantine; `{column}` stands for the row's value
    level: `row` quarantines what fails, `first` all but the first of equal rows, `warning` is reported only,
        `stop` ends the pipeline with `reason`
    """

    says: str
    expectation: str
    settings: dict[str, Any]
    reason: str = ""
    level: Literal["row", "first", "warning", "stop"] = "row"

    @property
    def whole(self) -> bool:
        """Whether it is about a whole column, not about rows."""
        return self.expectation in ("ExpectColumnUniqueValueCountToBeBetween", "ExpectColumnSumToBeBetween")

    @property
    def columns(self) -> tuple[str, ...]:
        if "column_list" in self.settings:
            return tuple(self.settings["column_list"])
        return tuple(self.settings[name] for name in ("column", "column_A", "column_B") if name in self.settings)


@dataclass(frozen=True)
class Outcome:
    """rows: int64, ascending; rows of the frame that fail.  observed: of expectations about a whole column."""

    rule: Rule
    type: str
    success: bool
    rows: np.ndarray
    observed: float | int | None

    @classmethod
    def joined(cls, parts: Sequence[Outcome]) -> Outcome:
        """What came of a rule about rows over several pieces of a frame."""
        return cls(parts[0].rule, parts[0].type, all(part.success for part in parts),
                   np.concatenate([part.rows for part in parts]), None)

    def describe(self, total: int) -> dict[str, Any]:
        """For `validation.json`."""
        return {"says": self.rule.says, "expectation": self.type, "columns": list(self.rule.columns),
                "level": self.rule.level, "success": self.success, "observed": self.observed,
                "unexpected": len(self.rows), "percent": round(100 * len(self.rows) / max(total, 1), 3)}


def stream_rules(name: str, measures: Sequence[str], timed: bool, settings: Validate,
                 unique: Sequence[str] = ()) -> list[Rule]:
    """Of the probed table of the stream `name`: columns key, value, error, start, end, labels and its `measures`.

    labels: rows of labels.parquet with this key;  unique: columns that no two rows have in common; ():
    the key, and the times where there are some
    """
    rules = [
        Rule("every row has a key", "ExpectColumnValuesToNotBeNull", {"column": "key"}, "it has no key"),
        Rule("every key has a label", "ExpectColumnValuesToBeBetween", {"column": "labels", "min_value": 1},
             "labels.parquet has no row with the key `{key}`"),
        Rule("every row has a value", "ExpectColumnValuesToNotBeNull", {"column": "value"}, "its value is missing"),
        Rule(f"every {name} can be read", "ExpectColumnValuesToBeNull", {"column": "error"}, "{error}"),
    ]
    if "characters" in measures:
        rules.append(Rule("no text is empty", "ExpectColumnValuesToBeBetween",
                          {"column": "characters", "min_value": 1}, "the text is empty"))
    for measure in measures:
        if measure in RANGES:
            key, unit = RANGES[measure]
            low, high = getattr(settings, key)
            where = f"validate.{key} in params.yaml" + (", which is for sounds and clips," if unit == LONG else "")
            rules.append(Rule(f"{measure} in validate.{key}", "ExpectColumnValuesToBeBetween",
                              {"column": measure, "min_value": low, "max_value": high},
                              f"{{{measure}:,g}} {unit}; {where} allows {low:,g} to {high:,g}"))
    return rules + _time_rules(timed) + [_unique(unique, timed)]


def label_rules(timed: bool, columns: Collection[str] = (), unique: Sequence[str] = ()) -> list[Rule]:
    """Of labels: columns sample, key, label, split, start, end, given, present, until, and those of `columns` besides.

    given: rows of its key in the tables of all streams; present: those that are not in quarantine
    until: seconds at which its recording ends, NaN where that is unknown
    unread: why its label is no target;  weight: NaN where it is none, weight_given: as it was written
    """
    rules = [
        Rule("every row has a sample name", "ExpectColumnValuesToNotBeNull", {"column": "sample"},
             "it has no sample name"),
        Rule("every row has a key", "ExpectColumnValuesToNotBeNull", {"column": "key"}, "it has no key"),
        Rule("every row has a label", "ExpectColumnValuesToNotBeNull", {"column": "label"}, level="warning"),
        Rule("split is train, val or test", "ExpectColumnValuesToBeInSet",
             {"column": "split", "value_set": list(tables.SPLITS[:3])},
             "its split is `{split}`, which is none of train, val (dev, valid, validation) and test"),
        Rule("every sample has a stream", "ExpectColumnValuesToBeBetween",
             {"column": "given", "min_value": 1}, "it has no stream: no table has a row with the key `{key}`"),
        Rule("every sample has a usable stream", "ExpectColumnValuesToBeBetween",
             {"column": "present", "min_value": 1}, "everything of the key `{key}` is in quarantine"),
    ]
    if "unread" in columns:
        rules.append(Rule("every label can be read", "ExpectColumnValuesToBeNull", {"column": "unread"}, "{unread}"))
    if "weight" in columns:
        rules.append(Rule("every weight is a number, 0 or more", "ExpectColumnValuesToNotBeNull", {"column": "weight"},
                          "its weight is `{weight_given}`, which is no number of 0 or more"))
    if timed:
        rules.append(Rule("no label starts after its recording", "ExpectColumnPairValuesAToBeGreaterThanB",
                          {"column_A": "until", "column_B": "start", "ignore_row_if": "either_value_is_missing"},
                          "it starts at {start:g} s, but its recording ends at {until:g} s"))
    once = Rule("samples are unique", "ExpectColumnValuesToBeUnique", {"column": "sample"},
                "an earlier row has the same sample name `{sample}`", "first")
    return rules + _time_rules(timed) + [once, _unique(unique, timed)]


def class_rules(streams: Collection[str], settings: Validate, one: str = "class") -> list[Rule]:
    """Of classes or tags, one row each: columns label, rows, and per stream the rows that have it; one: what it is."""
    few = Rule(f"every {one} has validate.min_class_count rows", "ExpectColumnValuesToBeBetween",
               {"column": "rows", "min_value": settings.min_class_count},
               f"its {one} `{{label}}` has {{rows:g}} usable rows; validate.min_class_count in params.yaml is "
               f"{settings.min_class_count}")
    return [few] + [Rule(f"every {one} has some {m}", "ExpectColumnValuesToBeBetween",
                         {"column": m, "min_value": 1}, level="warning") for m in streams]


def kept_rules(streams: Collection[str], classes: bool = True) -> list[Rule]:
    """Of the labels that are left: columns label, duplicate_group, and per stream 1 where it is present, else 0.

    classes: whether labels are classes
    """
    two = Rule("there are two classes or more", "ExpectColumnUniqueValueCountToBeBetween",
               {"column": "label", "min_value": 2},
               "fewer than two classes are left, so there is nothing to tell apart: check the label column, or lower "
               "validate.min_class_count in params.yaml", "stop")
    return [
        *([two] if classes else []),
        *(Rule(f"some samples have {m}", "ExpectColumnSumToBeBetween", {"column": m, "min_value": 1},
               f"no usable {m} is left: mend it, or take {m} out of data.streams in params.yaml", "stop")
          for m in streams),
        Rule("no sample shares its content with another", "ExpectColumnValuesToBeNull", {"column": "duplicate_group"},
             level="warning"),
    ]


def _time_rules(timed: bool) -> list[Rule]:
    if not timed:
        return []
    return [
        Rule("no start before 0", "ExpectColumnValuesToBeBetween", {"column": "start", "min_value": 0},
             "it starts at {start:g} s, before 0"),
        Rule("every end is after its start", "ExpectColumnPairValuesAToBeGreaterThanB",
             {"column_A": "end", "column_B": "start", "ignore_row_if": "either_value_is_missing"},
             "it ends at {end:g} s, not after its start at {start:g} s"),
    ]


def _unique(columns: Sequence[str], timed: bool) -> Rule:
    columns = columns or (["key", "start", "end"] if timed else ["key"])
    if len(columns) > 1:
        return Rule("keys are unique at each time", "ExpectCompoundColumnsToBeUnique",
                    {"column_list": list(columns), "ignore_row_if": "never"},
                    "an earlier row has the same key `{key}`, start and end" + (
                        " (it is at {clock:.6f} s)" if "clock" in columns else ""), "first")
    return Rule("keys are unique", "ExpectColumnValuesToBeUnique", {"column": "key"},
                "an earlier row has the same key `{key}`", "first")


def load() -> Any:
    """Great Expectations, quiet. Takes a second or two the first time."""
    if "great_expectations" in sys.modules:
        return sys.modules["great_expectations"]
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with fast("altair", "scipy.stats"):  # half of this import, for tests and pictures that no rule here makes
        import great_expectations
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return great_expectations


def judge(name: str, frame: pd.DataFrame, rules: Sequence[Rule]) -> list[Outcome]:
    """Run `rules` as the suite `name` over `frame`, whose index numbers rows; outcomes in the order of the rules."""
    gx = load()
    if frame.empty:  # its metrics are undefined on no rows; nothing is unexpected, and a whole column has nothing
        return [Outcome(rule, rule.expectation, rule.level != "stop", np.zeros(0, dtype=np.int64), None)
                for rule in rules]
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("tables").add_dataframe_asset(name)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(
        {"dataframe": frame.rename_axis("row").reset_index()})
    suite = gx.ExpectationSuite(name, expectations=[
        getattr(gx.expectations, rule.expectation)(**rule.settings, meta={"rule": i}) for i, rule in enumerate(rules)])
    judged = batch.validate(suite, result_format={
        "result_format": "COMPLETE", "unexpected_index_column_names": ["row"],
        "return_unexpected_index_query": False, "partial_unexpected_count": 0})
    outcomes: dict[int, Outcome] = {}
    for result in judged.results:
        config = result.expectation_config
        place = config.meta["rule"]
        if not result.success and not result.result:
            raise RuntimeError(f"Great Expectations could not judge {rules[place]} of {name}: {result.exception_info}")
        rows = np.array([at["row"] for at in result.result.get("unexpected_index_list") or ()], dtype=np.int64)
        observed = result.result.get("observed_value")
        outcomes[place] = Outcome(rules[place], config.type, bool(result.success), np.sort(rows),
                                  observed.item() if isinstance(observed, np.generic) else observed)
    return [outcomes[place] for place in range(len(rules))]
