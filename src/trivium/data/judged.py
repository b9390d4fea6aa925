"""The rows of the streams' tables are measured, and each is judged by itself, before anything else is known of them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.data import expectations, quarantine, spans, tables
from trivium.data.frames import JUDGED, Rows, stream_frames, stream_twins
from trivium.data.meta import Meta
from trivium.data.probe import Measures, probe
from trivium.data.settings import Validate
from trivium.data.sources import not_one
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Streams:
    """labels, rows, keys: as `frames.load` gives them;  suites: what was expected of them, and what came of it"""

    labels: Rows
    rows: dict[str, Rows]
    keys: int
    suites: list[dict[str, Any]] = field(default_factory=list)
    _lasting: dict[str, spans.Lasting | None] = field(default_factory=dict)

    def judge(self, streams: Mapping[str, str], meta: Meta, settings: Validate) -> dict[str, Measures]:
        """What was measured, by stream; rows that cannot be used are then `out`."""
        measures = probe(self.rows, streams, meta.root, meanwhile=expectations.load)
        for m, r in self.rows.items():
            start = 0
            for piece in r.pieces(["value"]):
                for row, what in not_one.why(piece["value"]).items():
                    measures[m]["error"][start + row] = f"it is {what}"
                start += len(piece)
            self._lasting[m] = spans.lasting(r, measures[m], self.labels, meta.clock)
            names, per_key = [name for name in measures[m] if name != "error"], self.labels.per_key(self.keys)
            r.out = judge(m, r.num_rows, stream_frames(r, measures[m], per_key),
                          expectations.stream_rules(m, names, r.timed, settings, r.unique), self.suites,
                          partial(stream_twins, r, measures[m], per_key))
        return measures

    def write(self, out: Path) -> None:
        """The tables of what is left; on a clock, each file ends where it ends."""
        for m, r in self.rows.items():
            with tables.Writer(out / f"{m}.parquet") as file:
                start, lasting = 0, self._lasting[m]
                for piece in r.left():
                    if lasting is not None:
                        piece = lasting.on_clock(piece, r.kept()[start: start + len(piece)])
                        start += len(piece)
                    file.add(piece)


def judge(name: str, rows: int, frames: Iterable[pd.DataFrame], rules: list[expectations.Rule], suites: list[dict],
           twins: Callable[[str], pd.DataFrame] | None = None) -> quarantine.Reasons:
    """Which rows of the `frames`, pieces of one, are out, and why; what was found is added to `suites`. twins: the rows
    that may be equal to others in a column. Raises: UserError (level `stop`).
    """
    outcomes = dict[int, list[expectations.Outcome]]()
    found = quarantine.Found()

    def look(frame: pd.DataFrame, chosen: list[int]) -> None:
        judged = expectations.judge(name, frame, [rules[k] for k in chosen])
        for k, outcome in zip(chosen, judged, strict=True):
            outcomes.setdefault(k, []).append(outcome)
        found.add(judged, frame)

    plain = [k for k, rule in enumerate(rules) if not rule.whole and rule.level != "first"]
    for frame in frames:
        if whole := [k for k, rule in enumerate(rules) if rule.whole]:
            look(frame, whole)  # such a frame is in one piece
        for start in range(0, max(len(frame), 1), JUDGED):
            look(frame.iloc[start: start + JUDGED], plain)
        del frame
        gc.collect()  # Great Expectations holds frames in circles
    for k, rule in enumerate(rules):
        if rule.level == "first" and twins is not None:
            look(twins(rule.columns[0]), [k])
            gc.collect()
    each = [outcomes[k][0] if len(outcomes[k]) == 1 else expectations.Outcome.joined(outcomes[k])
            for k in range(len(rules))]
    suites.append({"name": name, "rows": rows, "expectations": [outcome.describe(rows) for outcome in each]})
    stops = [outcome.rule.reason for outcome in each if outcome.rule.level == "stop" and not outcome.success]
    if stops:
        raise UserError(f"This data cannot be learned from: {'; '.join(stops)}.")
    return found.reasons()
