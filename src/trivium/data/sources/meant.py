"""What cells of a manifest mean: names without what cannot be seen, whole numbers as such, splits, seconds."""

from __future__ import annotations

import math
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data import tables
from trivium.data.moments import date
from trivium.settings.errors import UserError

SPLITS = {"valid": "val", "validation": "val", "dev": "val", "training": "train", "testing": "test", "eval": "test"}


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """What looks the same is the same: Unicode NFC, no white space around; blank is null."""
    # Not pc.utf8_normalize: its "NFC" decomposes (pyarrow 25).
    return pa.chunked_array([_nfc(chunk) for chunk in column.chunks], pa.string())


def _nfc(column: pa.Array) -> pa.Array:
    odd = pc.fill_null(pc.match_substring_regex(column, "[^ -~]|^ | $"), False)  # the rest is so already
    mended = [unicodedata.normalize("NFC", value).strip() or None for value in column.filter(odd).to_pylist()]
    return pc.replace_with_mask(column, odd, pa.array(mended, pa.string())) if mended else column


def integers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """`1.0` is `1`: the same class or group, which some tool has written as a float. (`01`, `+1` and `1.5` stay.)"""
    return pc.replace_substring_regex(pc.replace_substring_regex(column, r"^(-?(?:0|[1-9][0-9]*))\.0+$", r"\1"),
                                      "^-0$", "0")


def not_blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), ""), None, column)


def splits(column: pa.ChunkedArray | pa.Array, path: Path, before: int) -> pa.Array:
    """`column` with the usual other names of train, val and test replaced. before: rows in front of these."""
    once = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
    coded = once.combine_chunks().dictionary_encode()
    plain = [SPLITS.get(value.casefold(), value.casefold()) for value in coded.dictionary.to_pylist()]
    wrong = [k for k, value in enumerate(plain) if value not in tables.SPLITS[:3]]
    if wrong:
        row = int(np.flatnonzero(np.isin(pc.fill_null(coded.indices, -1).to_numpy(), wrong))[0])
        raise UserError(f"{path}: row {before + row + 1} is in the split `{plain[coded.indices[row].as_py()]}`; a "
                        "split is train, val or test (or empty everywhere: then splits are drawn). If the column "
                        "means something else, set data.manifest.split to \"\" in params.yaml.")
    return pa.array(plain, pa.string()).take(coded.indices)


def seconds(column: pa.ChunkedArray, path: Path, name: str, before: int, dated: bool = False) -> pa.Array:
    """Null where it is empty or `nan`, and at a date, if there may be some (`dated`). before: rows in front of these.
    """
    if dated and not np.isnan(moments := dates(column)).all():
        column = pa.chunked_array([pc.if_else(np.isnan(moments), column.combine_chunks(), None)])
    try:
        times = column.cast(pa.float64()).combine_chunks()
        return pc.if_else(pc.is_nan(times), None, times)
    except pa.ArrowInvalid:
        for row, value in enumerate(column.to_pylist(), before + 1):
            try:
                pa.scalar(value, pa.string()).cast(pa.float64())
            except pa.ArrowInvalid:
                raise UserError(f"{path}: row {row} has the {name} `{value}`, which is not a number of seconds"
                                f"{', and no date' if dated else ''}.") from None
        raise


def dates(column: pa.ChunkedArray) -> np.ndarray:
    """float64 [N]: seconds since 1970 (UTC) of the cells that are dates and no numbers; NaN of all others."""
    try:
        column.cast(pa.float64())
        return np.full(len(column), np.nan)
    except pa.ArrowInvalid:
        once = column.combine_chunks().dictionary_encode()
        found = [math.nan if (moment := date(text)) is None else moment for text in once.dictionary.to_pylist()]
        return np.array([*found, math.nan])[once.indices.fill_null(len(found)).to_numpy()]
