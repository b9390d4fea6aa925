"""What is measured of raw rows, a file per modality, and of answers: numbers and words, for `trivium drift`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trivium.modalities import media
from trivium.runtime import values
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
            measured = [_of_file(rows[k], s, modality, root) for k in there]
        for k, own in zip(there, measured, strict=True):
            found[k][s] = {"state": "unreadable"} if own is None else {"state": "given", **own}
    return found


def _of_file(row: Row, s: str, modality: str, root: Path) -> Statistics | None:
    if modality not in FILES and modality != "series":
        return {}
    try:
        with values.as_file(row[s]) as file:
            if modality == "series":  # which may lie in two files
                return series.measured(file or row[s], "" if file else root, *values.span(row, s))
            return FILES[modality](file or media.opened(str(row[s]), root), *values.span(row, s))
    except Exception:  # whatever a decoder makes of a damaged file
        return None
