"""The keys of a manifest's rows: the ids, and something of its own for one that came before, so that no row lends its
content to another's label.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data.linked_rows import numbered


class Keys:
    """The ids that come twice, and the keys of rows. ids: the number of each row's id."""

    def __init__(self, ids: np.ndarray) -> None:
        self._every = np.sort(ids)
        self._twice = np.unique(self._every[1:][np.diff(self._every) == 0])
        self._seen = set[str]()

    def of(self, ids: pa.ChunkedArray, before: int) -> pa.Array:
        """before: rows in front of these."""
        key = ids.combine_chunks()
        rows = np.flatnonzero(np.isin(numbered(ids), self._twice) & key.is_valid().to_numpy(zero_copy_only=False))
        made = []
        for row, name in zip(rows.tolist(), key.take(pa.array(rows)).to_pylist(), strict=True):
            own = name
            while own in self._seen or (own != name and self._there(own)):
                own = f"{own} (row {before + row + 1})"
            made.append(own)
            self._seen.add(own)
        if not made:
            return key
        mask = np.zeros(len(key), bool)
        mask[rows] = True
        return pc.replace_with_mask(key, pa.array(mask), pa.array(made, pa.string()))

    def _there(self, name: str) -> bool:
        number = numbered(pa.chunked_array([[name]]))[0]
        place = int(np.searchsorted(self._every, number))
        return place < len(self._every) and bool(self._every[place] == number)
