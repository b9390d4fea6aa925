"""Every small file of ours that is empty, cut, full of zeros or something else: it is made again, or one sentence says
what is wrong. None is a traceback.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from trivium.cli import share
from trivium.comparison.out import Comparison
from trivium.data import arrow_file, tables
from trivium.data.meta import Meta
from trivium.data.readings import Reads
from trivium.evaluation.metrics import Evaluation
from trivium.machine import digests
from trivium.machine.measured import Measured, Sampled
from trivium.modalities.media import index
from trivium.models import kept
from trivium.report.inputs import Inputs
from trivium.runtime.folder import PROCESSORS, Processors
from trivium.settings.errors import UserError, of_damage
from trivium.training.records import Trained

CONTENTS = {"empty": b"", "half": b'{"seconds": 3.5, "pea', "zeros": bytes(4096), "binary": bytes(range(256)) * 9,
            "a list": b"[1, 2]", "a word": b'"x"'}


def carried(path: Path) -> int:
    path.rename(path.with_name("measured.json"))
    (path.parent / "reports").mkdir()
    path.with_name("measured.json").rename(path.parent / share.CARRIED)
    return share._unpack(path.parent)


def members(path: Path) -> int:
    """An index of an archive is made again, whatever lies where it should be."""
    before = index.HOME
    index.HOME = path.parent / "archives"
    try:
        def none() -> list[tuple[str, index.Entry]]:
            return []

        index.kept("x", none, always=True)
        (made,) = index.HOME.glob("*.npy")
        made.write_bytes(path.read_bytes())
        return index.kept("x", none, always=True).columns.shape[1]
    finally:
        index.HOME = before


def processors(path: Path) -> Any:
    path.rename(path.with_name(PROCESSORS))
    return Processors.of(path.parent)


def reported(path: Path) -> Any:
    inputs = Inputs.__new__(Inputs)
    inputs.root = path.parent
    return inputs.json(path.name)["x"]


MADE_AGAIN: dict[str, tuple[Callable[[Path], Any], Any]] = {
    "measured": (Measured.found, None),
    "sampled": (Sampled.found, None),
    "carried": (carried, 0),
    "trials": (digests.read, None),
    "an index of an archive": (members, 0),
}
SAID: dict[str, Callable[[Path], Any]] = {
    "training.json": Trained.read, "metrics.json": Evaluation.read, "comparison.json": Comparison.read,
    "reads": Reads.read, "meta.json": Meta.read, "processors.json": processors, "an out for the report": reported,
}


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("name", MADE_AGAIN)
def test_it_counts_for_nothing(tmp_path: Path, name: str, content: str) -> None:
    reader, nothing = MADE_AGAIN[name]
    (tmp_path / "file").write_bytes(CONTENTS[content])
    assert reader(tmp_path / "file") == nothing


@pytest.mark.parametrize("content", [name for name in CONTENTS if name not in ("a list", "a word")])
@pytest.mark.parametrize("name", SAID)
def test_it_is_told_in_a_sentence(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / "file").write_bytes(CONTENTS[content])
    with pytest.raises(UserError, match=str(tmp_path)):
        SAID[name](tmp_path / "file")


def table(path: Path) -> None:
    tables.write(pa.table({"x": list(range(5000))}), path)


def tensors(path: Path) -> None:
    with arrow_file.Writer(path, ["x"], 8, "float32") as writer:
        writer.add(np.arange(8000, dtype=np.float32).reshape(-1, 1, 8))


def vectors(path: Path) -> None:
    np.save(path.with_name("vectors.npy"), np.ones((50, 8), np.float32))
    np.save(path.with_name("flops.npy"), np.ones(50))
    path.with_name("vectors.npy").rename(path)


BINARY: dict[str, tuple[Callable[[Path], None], Callable[[Path], Any]]] = {
    "a table": (table, tables.read),
    "pieces of a table": (table, lambda path: list(tables.pieces(path))),
    "rows of a table": (table, tables.count),
    "tensors": (tensors, lambda path: arrow_file.Column(path, "x")),
    "vectors": (vectors, lambda path: kept.Kept(path.rename(path.with_name("vectors.npy")).parent)),
}


@pytest.mark.parametrize("way", ["empty", "half", "zeros", "binary"])
@pytest.mark.parametrize("name", BINARY)
def test_what_is_no_text_is_told_too(tmp_path: Path, name: str, way: str) -> None:
    write, read = BINARY[name]
    path = tmp_path / "file"
    write(path)
    content = path.read_bytes()
    path.write_bytes({"empty": b"", "half": content[: len(content) // 2], "zeros": bytes(len(content)),
                      "binary": CONTENTS["binary"]}[way])
    with pytest.raises(Exception) as found:
        read(path)
    error = found.value
    assert isinstance(error, UserError) or "`trivium verify` finds which one" in str(of_damage(error))  # type: ignore[arg-type]


def test_other_errors_are_no_damage() -> None:
    for error in (ValueError("could not convert string to float"), KeyError("x"), pa.ArrowInvalid("Could not convert"),
                  FileNotFoundError(2, "No such file", "Corrupt")):
        assert of_damage(error) is None


def test_a_trial_that_is_whole_is_kept(tmp_path: Path) -> None:
    digests.write(tmp_path / "a", json.dumps({"x": 1}).encode())
    assert digests.read(tmp_path / "a") == b'{"x": 1}'
