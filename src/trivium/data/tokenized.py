"""Texts as token ids: a tokenizer is learned from what each seed may see, and then all texts are encoded once."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from trivium import modalities as registry
from trivium.data.arrow_file import Writer
from trivium.data.rows import Cut, Reading, Rows, results
from trivium.machine.progress import Progress
from trivium.machine.workers import Map
from trivium.modalities.spec import STORED, Spec

TEXTS = 1 << 14  # rows of text that are read at a time


def fill(run: Map, rows: Rows, seen: np.ndarray, one: Reading, spec: Spec, out: Path) -> tuple:
    """A tokenizer per seed (one for all when they may learn from the same rows), then one pass that encodes."""
    part = registry.processor(one.processor)
    own = part.fitted(one.settings)
    shared = bool((seen == seen[:1]).all()) or not own
    columns = ["x"] if shared else [f"seed_{k}" for k in range(len(seen))]
    specs, paths = [], []
    words, counts = _all_words(run, rows, seen[: len(columns)]) if own else ([], np.zeros((1, 0), np.int64))
    with Progress(f"preprocess {one.stream}: tokenizers", len(columns), "tokenizer") as progress:
        for column, count in zip(columns, counts, strict=True):
            there = np.flatnonzero(count)
            tokenizer, fitted = part.learned({words[k]: int(count[k]) for k in there}, one.settings)
            specs.append(fitted)
            paths.append(str(out / f"{column}.json"))
            tokenizer.save(paths[-1])
            progress.add()
    spec = replace(spec, vocab=max(each.vocab for each in specs), native=specs[0].native)
    work, cut = functools.partial(encode, one, spec, paths), Cut("tokens", "length")
    with Writer(out / "x.arrow", columns, math.prod(spec.shape), STORED[spec.kind]) as writer:
        for _, (ids, parts) in results(run, work, rows, rows.texts(TEXTS)):
            writer.add(ids)
            cut.add(parts)
    return spec, columns * len(seen) if shared else columns, [None] * len(seen), cut


def _all_words(run: Map, rows: Rows, seen: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The words of all texts, and int64 [S, U]: how often each seed sees each. One pass for all seeds, a sum that does
    not depend on who counts what.
    """
    def tasks() -> Iterator[tuple[pa.Array, np.ndarray]]:
        row = 0
        for texts in rows.texts(TEXTS):
            yield texts, seen[:, row: row + len(texts)]
            row += len(texts)

    place, total = dict[str, int](), np.zeros((len(seen), 1 << 10), np.int64)
    with Progress(f"preprocess {rows.stream}: words", rows.count, "row") as progress:
        for (texts, _), (words, counts) in run(_word_counts, tasks()):
            at = np.array([place.setdefault(word, len(place)) for word in words], np.int64)
            while len(place) > total.shape[1]:
                total = np.concatenate([total, np.zeros_like(total)], 1)
            total[:, at] += counts
            progress.add(len(texts))
    return list(place), total[:, : len(place)]


def _word_counts(task: tuple[pa.Array, np.ndarray]) -> tuple[list[str], np.ndarray]:
    """Runs in a worker."""
    from trivium.modalities import prose

    texts, seen = task
    wanted = seen.any(0) & texts.is_valid().to_numpy(zero_copy_only=False)
    return prose.counted(prose.cleaned(texts.filter(pa.array(wanted))), seen[:, wanted])


def encode(one: Reading, spec: Spec, paths: list[str], values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Token ids [B, tokenizers, T]; parts for `Cut`, of the first tokenizer. Runs in a worker."""
    from trivium.modalities import prose

    there = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
    ids, parts = np.zeros((len(values), len(paths), *spec.shape), STORED[spec.kind]), np.zeros((0, 2))
    if len(there):
        texts = prose.cleaned(values.drop_null())
        for k, path in list(enumerate(paths))[::-1]:
            if spec.native:
                ids[there, k], parts = registry.processor(one.processor).cut(texts.to_pylist(), _tokenizer(path), spec)
            else:
                ids[there, k], parts = _cutter(path, *spec.shape).cut(texts)
    return ids, parts


@functools.cache
def _cutter(path: str, length: int) -> Any:
    from trivium.modalities.prose import Cutter

    return Cutter(_tokenizer(path), length)


@functools.cache
def _tokenizer(path: str) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(path)
