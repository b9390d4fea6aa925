"""From raw values to arrays, as `preprocess` makes them: what stands before every model that is served.

A stream whose value cannot be used, such as a damaged picture, is left out, as one that a sample does not have.

Legend: `B` samples, `S` streams, `L` n-grams of the longest text.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from trivium import modalities
from trivium.modalities import media
from trivium.modalities.anonymised import Anonymiser, Rules
from trivium.modalities.media import regions
from trivium.modalities.spec import STATISTICS_AXIS, Spec, without_gaps
from trivium.runtime import away, values
from trivium.runtime.values import Value
from trivium.settings.errors import UserError

Row = Mapping[str, Value]


class Inputs:
    """prepared: of each stream, its `spec`, `processor`, `statistics` and `tokenizer`, see `serving.preparation`;
    streams: in the order of `present`, name -> modality.
    """

    def __init__(self, prepared: Mapping[str, Mapping[str, Any]], streams: Sequence[str]) -> None:
        self.specs = {s: Spec.of(s, prepared[s]["spec"]) for s in streams}
        self.streams = {s: spec.modality for s, spec in self.specs.items()}
        self._settings, self._processors, self._affine = {}, {}, {}
        self.fitted: dict[str, Any] = {}  # tokenizers, and columns of tables
        self._anonymise = {s: Anonymiser(Rules.model_validate(prepared[s]["anonymised"])) for s in streams
                           if prepared[s].get("anonymised")}
        self._placeholders = {s: frozenset(found) for s in streams if (found := prepared[s].get("placeholders"))}
        for s, spec in self.specs.items():
            about = prepared[s]
            own = dict(about["processor"])
            self._processors[s] = modalities.processor(own.pop("name"))
            self._settings[s] = self._processors[s].Settings.model_validate(own)
            if about.get("tokenizer") is not None:
                self.fitted[s] = self._processors[s].load(about["tokenizer"])
            elif not spec.discrete:
                self._affine[s] = scale_and_shift(spec, about["statistics"])

    @property
    def cells(self) -> dict[str, list[str]]:
        """The columns of each stream of tables."""
        return {s: self.fitted[s].names for s, spec in self.specs.items() if spec.kind == "columns"}

    def anonymised(self, rows: Sequence[Row]) -> Sequence[Row]:
        """As the model's own data are: before anything else sees them, or says what is in them."""
        if not self._anonymise:
            return rows
        return [{**row, **{s: one.value(values.text(row[s]), self.streams[s]) for s, one in self._anonymise.items()
                           if not values.missing(row.get(s))}} for row in rows]

    def without_placeholders(self, rows: Sequence[Row], root: Path) -> Sequence[Row]:
        """What the model's own data took for missing is missing here, too. rows: `anonymised`;  root: of relative paths
        """
        if not self._placeholders:
            return rows
        return [{**row, **{s: None for s, known in self._placeholders.items() if not values.missing(row.get(s))
                           and self._digest(s, row[s], root) in known}} for row in rows]

    def _digest(self, s: str, value: Value, root: Path) -> str | None:
        """As the model's own data have it; None where the file cannot be read, of which somebody else complains."""
        if modalities.is_prose(self.streams[s]):
            from trivium.data import tables

            return tables.digest(modalities.get(self.streams[s]).clean(values.text(value)).encode())
        try:
            if value == b"":
                raise ValueError("it is an empty file")
            with values.as_file(value) as file:
                return media.digest(file or regions.split(str(value))[0], "" if file else root)
        except (OSError, ValueError, UserError):
            return None

    def arrays(self, rows: Sequence[Row], root: Path, read: Collection[str],
               ) -> tuple[dict[str, np.ndarray], np.ndarray, list[list[str]]]:
        """What `trivium.data.store.Store.batch` has of them, per stream: tokens int64 [B, T], counts int64 [B, L, 2],
        others float32 [B, *Spec.shape], 0 where missing; presence bool [B, S]; per row, which values cannot be used,
        and why: they are not present.

        root: of relative paths;  read: the streams that make a difference: of others nothing is said
        """
        broken: list[list[str]] = [[] for _ in rows]
        rows = self.without_placeholders(self.anonymised(rows), root)
        present = np.array([[not values.missing(row.get(s), modality) for s, modality in self.streams.items()]
                            for row in rows], bool)
        for i, row in enumerate(rows):
            for k, s in enumerate(self.streams):
                if isinstance(value := row.get(s), values.NotOne):
                    present[i, k] = False
                    if s in read:
                        broken[i].append(f"{s} {value[:60]!r} cannot be used: it is not one value")
        found = {}
        for k, (s, spec) in enumerate(self.specs.items()):
            there = [i for i in range(len(rows)) if present[i, k] and s in read]
            if spec.kind == "counts":
                said = [values.text(row.get(s)) if present[i, k] else "" for i, row in enumerate(rows)]
                found[s] = self._processors[s].encode(said, self._settings[s], spec).astype(np.int64)
                continue
            x = np.zeros((len(rows), *spec.shape), np.int64 if spec.kind == "tokens" else np.float32)
            if spec.discrete and there:
                x[there] = self._encode(s, [rows[i][s] for i in there], there, broken)
                for i in there:
                    present[i, k] = not any(why.startswith(f"{s} ") for why in broken[i])
                x[~present[:, k]] = 0
            elif there:
                raw = self._decoded(s, {i: rows[i] for i in there}, root, broken)
                present[[i for i in there if i not in raw], k] = False
                if raw:
                    scale, shift = self._affine[s]
                    x[list(raw)] = without_gaps(np.stack(list(raw.values())).astype(np.float32) * scale + shift, spec)
            found[s] = x
        return found, present, broken

    def _encode(self, s: str, given: list[Any], there: Sequence[int], broken: list[list[str]]) -> np.ndarray:
        """[B, ...] of texts, and of the cells of tables. there: their rows;  broken: gets why one cannot be used."""
        said = [values.text(value) for value in given]
        judge = getattr(modalities.get(self.streams[s]), "errors", None)
        if judge is not None:
            import pyarrow as pa

            for k, error in enumerate(judge(pa.array(said, pa.string()))):
                if error:
                    broken[there[k]].append(f"{s} {said[k][:60]!r} cannot be used: {error}")
                    said[k] = "{}"
        if self.specs[s].kind == "columns":
            from trivium.runtime.unread import unread

            for row, told in zip(there, unread(s, self.fitted[s], said), strict=True):
                broken[row] += told
        return self._processors[s].encode(said, self.fitted[s], self.specs[s])

    def _decoded(self, s: str, rows: Mapping[int, Row], root: Path, broken: list[list[str]]) -> dict[int, np.ndarray]:
        """Those of the values that can be used, by row; `broken` gets why one cannot."""
        own = [{key: row[key] for key in (s, *values.times((s,))) if key in row} for row in rows.values()]
        about = (s, self.streams[s], self._processors[s].__name__, self._settings[s], root)
        found = {}
        for (i, row), made in zip(rows.items(), away.each(_decode, about, own), strict=True):
            if isinstance(made, str):
                value: Any = row[s]
                name = repr(value[:60]) if isinstance(value, str) else f"of {len(value):,} bytes"
                broken[i].append(f"{s} {name} cannot be used: {made}")
            else:
                found[i] = made
        return found


def _decode(task: tuple[str, str, str, Any, Path, list[Row]]) -> list[np.ndarray | str]:
    """What a processor makes of each row's value; or why it cannot be used: what `validate` puts in quarantine is not
    answered either. May run in a worker.
    """
    s, modality, name, settings, root, rows = task
    kind, processor = modalities.get(modality), importlib.import_module(name)
    found: list[np.ndarray | str] = []
    for row in rows:
        value: Any = row[s]
        try:
            if value == b"":
                raise ValueError("it is an empty file")
            with values.as_file(value) as file:
                place, seen = (file, "") if file else (value, root)
                start, end = values.span(row, s, partial(kind.since, place, seen) if hasattr(kind, "since") else
                                         lambda: None)
                if problem := kind.probe(place, seen, start, end).get("error"):
                    raise ValueError(problem)
                if (refuse_other := getattr(kind, "refuse_other", None)) is not None:
                    refuse_other(place, seen, settings)
                found.append(processor.decode(place, seen, start, end, settings))
        except Exception as error:  # a damaged file, a server that is away: the other rows have their answer
            said = isinstance(error, ValueError | UserError)
            found.append(str(error) if said else f"cannot be decoded: {error or type(error).__name__}")
    return found


def scale_and_shift(spec: Spec, statistics: Mapping[str, Sequence[float]]) -> tuple[np.ndarray, np.ndarray]:
    """As `trivium.modalities.spec.scale_and_shift` has them, without torch."""
    shape = [1] * len(spec.shape)
    shape[STATISTICS_AXIS[spec.kind]] = -1
    mean, deviation = (np.array(statistics[key], np.float64).reshape(shape) for key in ("mean", "deviation"))
    return (1 / deviation).astype(np.float32), (-mean / deviation).astype(np.float32)
