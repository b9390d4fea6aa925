"""Columns of a table: numbers, categories, dates and truth values, any of which may be missing.

A row's cells come as one string (`columns.packed`). What each column is, is guessed from the train rows of the seeds
(`columns.typed`), unless the settings say it; where the seeds disagree, it is a category. How it is scaled, and which
categories have a code, is fitted on the train rows of each seed alone (`columns.fitted`). Nothing runs row by row.

Legend: `B` rows, `N` rows of the data, `S` seeds, `K` columns as models see them (a date is several).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from trivium.modalities.augmented import table as augmented
from trivium.modalities.columns.typed import Type
from trivium.settings.base import Section
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Generator, Tensor

    from trivium.modalities.columns.fitted import Fitted
    from trivium.modalities.columns.typed import Column
    from trivium.modalities.spec import Spec

WRITTEN = True  # a value is the cells themselves, no path
Augment, augment = augmented.Settings, augmented.augment


class Settings(Section):
    scaling: Literal["quantile", "standard"] = "quantile"  # of numbers: to a normal distribution, or mean and deviation
    categories: Annotated[int, Field(ge=1, le=100_000)] = 256  # of a column that have a code of their own, at most
    types: dict[str, Type] = Field(default_factory=dict)  # column: number | category | date | boolean; else guessed


def spec(settings: Settings) -> Spec:
    """Of a table of one number: which columns there are, only the data says."""
    from trivium.modalities.spec import Spec

    return Spec("table", "columns", (1, 2), columns=(("value", 2),))


def probe(value: str, root: str | Path = "", start: float | None = None, end: float | None = None) -> dict[str, Any]:
    """{"cells"} that are not empty, or {"error": why}."""
    import pyarrow as pa

    from trivium.modalities.columns import packed

    if not isinstance(value, str):
        return {"error": f"not the cells of a row but {type(value).__name__}"}
    if why := packed.errors(pa.array([value]))[0]:
        return {"error": why}
    names = packed.names(value)
    return {"cells": sum(column.null_count == 0 for column in packed.unpack(pa.array([value]), names).values())}


def errors(values: pa.ChunkedArray) -> list[str | None]:
    """As the "error" of `probe`, of all rows at once."""
    from trivium.modalities.columns import packed

    return packed.errors(values)


def columns(values: pa.ChunkedArray | Iterable[pa.Array]) -> dict[str, Column]:
    """The columns of packed rows, null where a sample has none. Raises: UserError (no row has any).

    values: in pieces, of which one is held at a time; of a cell that comes again, a number is kept.
    """
    import pyarrow as pa

    from trivium.modalities.columns import packed
    from trivium.modalities.columns.typed import Column

    names: list[str] = []
    found: dict[str, list[pa.Array]] = {}
    bare = 0  # rows before the first that has any
    for piece in getattr(values, "chunks", values):
        if not names:
            first = piece.drop_null().slice(0, 1).to_pylist()
            if not first:
                bare += len(piece)
                continue
            names = packed.names(first[0])
            found = {name: [pa.nulls(bare, pa.string()).dictionary_encode()] if bare else [] for name in names}
        for name, cells in packed.unpack(piece, names).items():
            found[name] += cells.dictionary_encode().chunks
    if not names:
        raise UserError("A stream of modality table has no cell in any row: take it out of data.streams.")
    return {name: Column(pa.chunked_array(cells)) for name, cells in found.items()}


def fit(found: Mapping[str, Column], seen: np.ndarray, settings: Settings) -> tuple[list[Fitted], Spec]:
    """What each seed makes of the columns, and what models need to know of it, the same for all.

    seen: bool [S, N], the rows that each seed may learn from.
    Raises: UserError (`types` names a column that is not there).
    """
    from trivium.modalities.columns.fitted import KINDS, Fitted
    from trivium.modalities.columns.typed import guess
    from trivium.settings.parts import nearest

    for name in settings.types:
        if name not in found:
            raise UserError(f"params.yaml: `processor.types` of an encoder of modality table names the column "
                            f"`{name}`, which the stream does not have; {nearest(name, found)}")
    kinds = {}
    for name, column in found.items():
        guesses = {guess(column, column.counts(rows)) for rows in seen}
        kinds[name] = KINDS[settings.types.get(name) or (guesses.pop() if len(guesses) == 1 else "category")]
    each = [[kinds[name].of(name, column, rows, settings.scaling, settings.categories)
             for name, column in found.items()] for rows in seen]
    for same in zip(*each, strict=True):  # of one column, by seed
        if any(getattr(one, "hours", False) for one in same):
            for one, of_seed in zip(same, each, strict=True):
                of_seed[of_seed.index(one)] = replace(one, hours=True)
    made = [Fitted(of_seed) for of_seed in each]
    parts = [(same[0][0], max(codes for _, codes in same)) for same in zip(*(one.parts for one in made), strict=True)]
    return made, replace(spec(settings), shape=(len(parts), 2), columns=tuple(parts))


def about(found: Mapping[str, Column], fitted: Fitted, rows: np.ndarray) -> list[dict[str, Any]]:
    """Of each column, for people: name, type, share of `rows` (bool [N]) in which it is missing, or cannot be read as
    what the column is, 0-1, and how many different values these have.
    """
    described = []
    for one in fitted.columns:
        column = found[one.name]
        counts = np.where(column.read(one.type), column.counts(rows), 0)
        described.append({"column": one.name, "type": one.type, "values": int((counts > 0).sum()),
                          "missing": round(1 - float(counts.sum()) / max(int(rows.sum()), 1), 6)})
    return described


def load(text: str) -> Fitted:
    """What `Fitted.save` wrote."""
    from trivium.modalities.columns.fitted import Fitted

    return Fitted.of(text)


def encode(rows: Sequence[str | None], fitted: Fitted, spec: Spec) -> np.ndarray:
    """float32 [B, K, 2] of packed rows: numbers, scaled, and codes. Raises: ValueError (no JSON object)."""
    import pyarrow as pa

    from trivium.modalities.columns import packed
    from trivium.modalities.columns.typed import Column

    cells = packed.unpack(pa.chunked_array([pa.array(rows, pa.string())]), fitted.names)
    return fitted.prepare({name: Column(column) for name, column in cells.items()})(slice(None))


def said(value: str) -> str:
    """A packed row for people: `area 61.2 · kind flat`."""
    import json

    return " · ".join(f"{name} {cell}" for name, cell in json.loads(value).items() if cell is not None)


def corrupt(x: Tensor, severity: float, generator: Generator, spec: Spec, others: Tensor) -> Tensor:
    """x [B, K, 2] in which each cell becomes, with probability `severity`, that of another row: one of `others`
    [P, K, 2], drawn evenly for each cell. At 1 nothing is left but what each column looks like by itself.
    """
    import torch

    drawn = {"generator": generator, "device": generator.device}
    hit = torch.rand(x.shape[:2], **drawn) < severity
    row = torch.randint(len(others), x.shape[:2], **drawn)
    strange = others[row.to(others.device), torch.arange(x.shape[1], device=others.device)]
    return torch.where(hit.unsqueeze(-1).to(x.device), strange.to(x.device), x)
