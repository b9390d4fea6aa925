"""A stream's table, as ingest keeps it: the rows of a manifest that have a value, with digests of what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from trivium import modalities
from trivium.data import tables
from trivium.data.meta import Anonymised
from trivium.data.sources.places import hashed
from trivium.data.sources.spelled import found
from trivium.modalities import prose
from trivium.modalities.anonymised import Anonymiser
from trivium.modalities.media import regions

Files = Mapping[str, tuple[str, str | None]]  # as the manifest names them: where they are, and their digests


class Kept:
    """The streams of a manifest in `folder`. Files of the piece before are not read again."""

    def __init__(self, folder: Path, anonymise: Mapping[str, Anonymiser]) -> None:
        """anonymise: of the streams that are to be."""
        self.anonymise, self.rows = anonymise, Counter[str]()
        self._folder, self._last = folder, dict[str, Files]()
        self._named, self._mended = Counter[str](), dict[str, Counter[str]]()

    def table(self, column: pa.ChunkedArray, key: pa.Array, name: str, modality: str,
              times: Mapping[str, pa.Array]) -> pa.Table:
        """Of the stream `name`: rows that have a value, with the digest of the text (cleaned, as models see it) or of
        the file (null where it cannot be read).
        """
        there = column.is_valid().combine_chunks()
        values = column.filter(there).combine_chunks()
        if one := self.anonymise.get(name):
            values = pa.array([one.value(value, modality) for value in values.to_pylist()], pa.string())
            self.rows[name] += len(values)
        if modalities.is_prose(modality):
            digests = pa.array([tables.digest(text.encode()) for text in prose.cleaned(values).to_pylist()],
                               pa.string())
        elif modalities.is_written(modality):
            digests = pa.nulls(len(values), pa.string())  # equal cells are no sign that two rows are the same thing
        else:
            once = values.dictionary_encode()  # a long recording may serve many rows
            given = once.dictionary.to_pylist()
            files = self._files(name, given)
            values, digests = (pa.array([files[value][part] for value in given], pa.string()).take(once.indices)
                               for part in (0, 1))
        return pa.table({"key": key.filter(there), "value": values, "digest": digests,
                         **{name: column.filter(there) for name, column in times.items()}})

    def _files(self, name: str, given: list[str]) -> Files:
        known = self._last.get(name, {})
        new = [value for value in given if value not in known]
        parts = [regions.split(value) for value in new]
        places = [found(value, self._folder) for value, _ in parts]
        self._named[name] += len(new)
        self._mended.setdefault(name, Counter()).update(one.how for one in places if one.how)
        names = [one.name for one in places]
        values = [regions.marked(name, boxes) for name, (_, boxes) in zip(names, parts, strict=True)]
        read = dict(zip(new, zip(values, hashed(names, self._folder, name), strict=True), strict=True))
        self._last[name] = {value: known.get(value) or read[value] for value in given}
        return self._last[name]

    def anonymised(self) -> dict[str, Anonymised] | None:
        """What was done to the streams that are to be; None where none is."""
        return {s: Anonymised(rules=one.rules, rows=self.rows[s], texts=one.texts,
                              found=dict(sorted(one.counts.items()))) for s, one in self.anonymise.items()} or None

    def notes(self) -> Iterator[str]:
        """What was mended in the names of files, and what was anonymised, in words."""
        for name, done in (self.anonymised() or {}).items():
            yield f"{name}: {done.said}."
        for name, how in self._mended.items():
            if count := how.total():
                each = ", ".join(f"{way}: {many:,}" for way, many in how.most_common())
                yield (f"{count:,} of {self._named[name]:,} files of {name} are there under another spelling than the "
                       f"table has ({each}); they are read from there.")
