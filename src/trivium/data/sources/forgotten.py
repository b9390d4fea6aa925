"""Rows that are not to be there any more: `data/forgotten.json` keeps a digest of each one's id, and ingest passes over
them as if the table had never had them. Of streams with tables of their own, it passes over the recordings that only
such rows were of.

The digest is keyed, and says nothing of an id to whoever cannot guess it. Who has this file and a guess can check it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from trivium.data.out import Out

PATH = Path("data/forgotten.json")


class Forgotten(Out):
    """key: of the digests, hexadecimal, "" where nothing is forgotten yet;  ids, recordings: digests, sorted."""

    key: str = ""
    ids: tuple[str, ...] = ()
    recordings: tuple[str, ...] | None = None

    @classmethod
    def at(cls, root: Path = Path()) -> Forgotten:
        """What is kept in the project at `root`. Raises: UserError (see `Out.read`)."""
        return cls.found(root / PATH) or cls()

    def digest(self, name: str) -> str:
        return hashlib.blake2b(name.strip().encode(), digest_size=16, key=bytes.fromhex(self.key)).hexdigest()

    def within(self, names: pa.ChunkedArray) -> np.ndarray:
        """bool per row: whether its id is forgotten."""
        return self._among(names, self.ids)

    def recorded(self, keys: pa.ChunkedArray) -> np.ndarray:
        """bool per row: whether its recording is forgotten."""
        return self._among(keys, self.recordings or ())

    def _among(self, names: pa.ChunkedArray, digests: tuple[str, ...]) -> np.ndarray:
        if not digests:
            return np.zeros(len(names), bool)
        once, known = names.combine_chunks().dictionary_encode(), frozenset(digests)
        each = np.array([*(self.digest(name) in known for name in once.dictionary.to_pylist()), False])
        return each[once.indices.fill_null(len(each) - 1).to_numpy()]

    def with_more(self, names: Iterable[str], recordings: Iterable[str] = ()) -> Forgotten:
        """These as well."""
        made = self if self.key else self.model_copy(update={"key": secrets.token_hex(16)})
        ids, own = (tuple(sorted({*before, *map(made.digest, more)}))
                    for before, more in ((made.ids, names), (made.recordings or (), recordings)))
        return made.model_copy(update={"ids": ids, "recordings": own or None})
