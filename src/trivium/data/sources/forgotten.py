"""Rows that are not to be there any more: `data/forgotten.json` keeps a digest of each one's id, and ingest passes over
them as if the table had never had them.

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
    """key: of the digests, hexadecimal, "" where nothing is forgotten yet;  ids: digests, sorted."""

    key: str = ""
    ids: tuple[str, ...] = ()

    @classmethod
    def at(cls, root: Path = Path()) -> Forgotten:
        """What is kept in the project at `root`. Raises: UserError (see `Out.read`)."""
        return cls.found(root / PATH) or cls()

    def digest(self, name: str) -> str:
        return hashlib.blake2b(name.strip().encode(), digest_size=16, key=bytes.fromhex(self.key)).hexdigest()

    def within(self, names: pa.ChunkedArray) -> np.ndarray:
        """bool per row: whether it is forgotten."""
        if not self.ids:
            return np.zeros(len(names), bool)
        known = frozenset(self.ids)
        return np.array([name is not None and self.digest(name) in known for name in names.to_pylist()], bool)

    def with_more(self, names: Iterable[str]) -> Forgotten:
        """These as well."""
        made = self if self.key else self.model_copy(update={"key": secrets.token_hex(16)})
        return made.model_copy(update={"ids": tuple(sorted({*made.ids, *map(made.digest, names)}))})
