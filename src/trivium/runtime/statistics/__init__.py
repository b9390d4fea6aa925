"""What is measured of raw rows, a file per modality, and of answers: numbers and words, for `trivium drift`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trivium.modalities import media
from trivium.modalities import series as kind
from trivium.runtime import away, values
from trivium.runtime.statistics import audio, image, series, table, text, video

if TYPE_CHECKING:
    from trivium.runtime.inputs import Inputs, Row

Statistics = dict[str, float | str]
FILES = {"image": image.measured, "audio": audio.measured, "video": video.measured}  # (path, start, end): one at a time
WRITTEN = {"text": text.measured, "table": table.measured}  # (texts, what was fitted or None, spec): all at once


def described(rows: Sequence[Row], inputs: Inputs, streams: Collection[str], root: Path = Path("."),
              ) -> list[dict[str, Statistics]]:
    """Of each row, per stream its `state` (given, missing, unreadable) and the statistics of what is given.

    streams: those to be measured;  root: of relative paths
    """
    rows = inputs.without_placeholders(rows, root)
    found: list[dict[str, Statistics]] = [{s: {"state": "missing"} for s in streams} for _ in rows]
    for s in streams:
        modality, there = inputs.streams[s], [k for k, row in enumerate(rows) if not values.missing(row.get(s))]
        if modality in WRITTEN and there:
            said = [values.text(rows[k][s]) for k in there]
            measured = WRITTEN[modality](said, inputs.fitted.get(s), inputs.specs[s])
        else:
            own = [{key: rows[k][key] for key in (s, *values.times((s,))) if key in rows[k]} for k in there]
            measured = away.each(_of_files, (s, modality, root), own)
        for k, made in zip(there, measured, strict=True):
            found[k][s] = {"state": "given", **made} if isinstance(made, dict) else {"state": "unreadable"}
    return found


def _of_files(task: tuple[str, str, Path, list[Row]]) -> list[Statistics | None]:
    """Of each row's value; None where it cannot be read. May run in a worker."""
    s, modality, root, rows = task
    return [_of_file(row, s, modality, root) if modality in FILES or modality == "series" else {} for row in rows]


def _of_file(row: Row, s: str, modality: str, root: Path) -> Statistics | None:
    try:
        with values.as_file(row[s]) as file:
            if modality == "series":  # which may lie in two files
                place, seen = (file or row[s], "" if file else root)
                return series.measured(place, seen, *values.span(row, s, lambda: kind.since(str(place), seen)))
            return FILES[modality](file or media.opened(str(row[s]), root), *values.span(row, s))
    except Exception:  # whatever a decoder makes of a damaged file
        return None
