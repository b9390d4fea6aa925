"""What is to be said of a table's rows before anything runs: that they are few, or have ids twice."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from trivium.data.sources import rows

FEW = 50  # rows


def notes(path: Path, column: str, timed: bool) -> list[str]:
    """column: of the id;  timed: whether rows have a start or an end, so that an id may have several."""
    count, ids = 0, pa.chunked_array([], pa.string())
    for piece in rows.pieces(path, [column]):
        count += len(piece)
        ids = pa.chunked_array([*ids.chunks, *piece[column].drop_null().chunks], pa.string())
    found = []
    if count < FEW:
        found.append(f"{path} has {count:,} rows. With fewer than {FEW}, intervals are wide, and hardly anything is "
                     "sure.")
    each = pc.value_counts(ids)
    twice = each.filter(pc.greater(each.field("counts"), 1))
    if len(twice) and not timed:
        more = int(pc.sum(twice.field("counts")).as_py()) - len(twice)
        found.append(f"{more:,} of {count:,} rows have an id that came before, such as `{twice.field('values')[0]}`. "
                     "They will be in quarantine, so that no row lends its content to another's label. Is "
                     f"`{column}` the right column (data.manifest.id)?")
    return found
