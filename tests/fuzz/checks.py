"""What must hold whatever comes in: a plain sentence or an answer, soon, in little memory, for every row."""

from __future__ import annotations

import io
import json
import resource
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trivium import modalities
from trivium.data import expectations, tables
from trivium.data.settings import Manifest, Stream, Validate
from trivium.data.sources import manifest, rows
from trivium.data.validation import validate
from trivium.modalities import audio, image, video
from trivium.modalities import table as table_modality
from trivium.modalities.columns import packed
from trivium.runtime import table
from trivium.runtime.answering import Answering
from trivium.runtime.inputs import Inputs
from trivium.settings.errors import UserError
from trivium.tasks.classification import Classification

SECONDS = 10.0  # of computing, of an example
WAIT = 90.0  # seconds by the clock: of what waits for something, on a machine that does much else
MEMORY = 2 << 30  # bytes that an example may add to the peak: a picture of 134 megapixels is decoded with copies
SMALL = {"image": image.Settings(size=8), "audio": audio.Settings(sample_rate=8000, seconds=0.1, bins=8),
         "video": video.Settings(size=8, frames=4)}
NAMES = ("group", "split", "language", "domain", "start", "end")
VALIDATE = Validate(max_bad_fraction=1, min_class_count=2, text_length=(1, 1000), image_side=(1, 64),
                    audio_seconds=(0.01, 10))
STREAMS = {"text": "text", "image": "image", "audio": "audio"}


class Late(BaseException):
    """No `Exception`: what forgives a decoder everything shall not forgive this."""


@contextmanager
def bounded() -> Iterator[None]:
    def late(*_: object) -> None:
        raise Late(f"takes longer than {SECONDS} s of computing, or waits for {WAIT} s")

    before, peak = [signal.signal(one, late) for one in (signal.SIGPROF, signal.SIGALRM)], _peak()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.setitimer(signal.ITIMER_REAL, WAIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGPROF, before[0])
        signal.signal(signal.SIGALRM, before[1])
    assert _peak() - peak < MEMORY, f"takes {(_peak() - peak) >> 20} MB"


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def reads(folder: Path, made: tuple[str, bytes, int | None]) -> str:
    """A table is read, with all its rows, or refused in a sentence."""
    ending, content, count = made
    path = folder / f"table{ending}"
    path.write_bytes(content)
    with bounded():
        try:
            found = rows.columns(path)
            rows.look(path, 5)
            whole = rows.read(path, found)
        except UserError as error:
            return _refused(error)
    assert count is None or len(whole) == count
    assert all(str(field.type) == "string" for field in whole.schema)
    return "read"


def validates(folder: Path, made: tuple[str, bytes, int]) -> str:
    """Every row of a manifest becomes a row of labels, and is then kept or in quarantine with a reason."""
    ending, content, count = made
    path, raw, out = folder / f"table{ending}", folder / "raw", folder / "valid"
    path.write_bytes(content)
    header = rows.columns(path)
    expectations.load()  # once, and longer than an example may take
    streams = {s: Stream(modality=kind) for s, kind in STREAMS.items()}
    with bounded(), redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
        try:
            chosen = Manifest.model_validate({name: name if name in header else "" for name in ("id", "label", *NAMES)}
                                             | {"path": str(path)})
            manifest.write(raw, chosen, 0, streams, Classification)
            labels = tables.read(raw / "labels.parquet")
            assert labels.num_rows == count
            validate(raw, out, STREAMS, VALIDATE)
        except UserError as error:
            return _refused(error)
    kept, quarantined = tables.read(out / "labels.parquet"), tables.read(out / "quarantine.parquet")
    lost = quarantined.filter(pc.equal(quarantined["table"], "labels"))
    assert Counter(kept["key"].to_pylist() + lost["key"].to_pylist()) == Counter(labels["key"].to_pylist())
    assert all(quarantined["reason"].to_pylist())
    for s in STREAMS:
        there = tables.read(raw / f"{s}.parquet").num_rows
        left = tables.read(out / f"{s}.parquet").num_rows
        assert there == left + quarantined["table"].to_pylist().count(s)
    return "validated" if not quarantined.num_rows else "validated in part"


def decodes(folder: Path, modality: str, content: bytes, start: float | None, end: float | None) -> str:
    """Bytes of a picture or sound are probed, and decoded or refused; what the probe lets through is finite."""
    part = modalities.get(modality)
    (folder / "file").write_bytes(content)
    with bounded():
        found = part.probe("file", folder, start, end)
        try:
            array = part.decode("file", folder, start, end, SMALL[modality])
        except ValueError as error:
            assert str(error)
            return "refused"
    assert array.shape == part.spec(SMALL[modality]).shape
    if "error" in found:
        return "refused by the probe alone"
    assert np.isfinite(array).all()
    return "decoded"


def predicts(answering: Answering, folder: Path, made: tuple[str, bytes, int | None], form: str) -> str:
    """Every row has an answer or an error, in the table's order."""
    ending, content, count = made
    path, out = folder / f"table{ending}", folder / f"out{form}"
    path.write_bytes(content)
    out.unlink(missing_ok=True)
    with bounded(), redirect_stderr(io.StringIO()):
        try:
            bad = table.write(answering, path, out, "fuzz")
        except UserError as error:
            assert not out.exists()
            return "none has an answer" if str(error).startswith("None of") else _refused(error)
    found = _answers(out)
    assert count is None or len(found) == count
    assert sum(bool(row["error"]) for row in found) == bad
    assert all(bool(row["label"]) != bool(row["error"]) for row in found)
    return "answered" if not bad else "answered in part"


def _answers(out: Path) -> list[dict[str, Any]]:
    if out.suffix == ".parquet":
        return pq.read_table(out).to_pylist()
    if out.suffix == ".jsonl":
        return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    import csv

    with out.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def facts() -> Inputs:
    """Of a table with a number, a category and a date."""
    import pyarrow as pa

    train = packed.pack({name: pa.chunked_array([pa.array(column, pa.string())]) for name, column in {
        "area": ["1", "2", "3"], "kind": ["flat", "house", "flat"],
        "sold": ["2020-01-01", "2020-02-01", None]}.items()})
    (fitted,), spec = table_modality.fit(table_modality.columns(train), np.ones((1, 3), bool),
                                               table_modality.Settings())
    made = Inputs({}, [])
    made.specs, made.streams, made.fitted = {"facts": spec}, {"facts": "table"}, {"facts": fitted}
    made._processors = {"facts": modalities.processor("table")}
    return made


def packs(inputs: Inputs, cells: list[str]) -> str:
    """Cells of a table as one sample may be given them: numbers, or a reason."""
    with bounded():
        found, _, broken = inputs.arrays([{"facts": cell} for cell in cells], Path(), ("facts",))
    assert np.isfinite(found["facts"]).all() and len(broken) == len(cells)
    return "refused in part" if any(broken) else "read"


def answers(answering: Answering, folder: Path, samples: list[dict[str, Any]]) -> str:
    """Raw values, as a server gets them, have an answer or a reason each."""
    with bounded():
        try:
            stored, warnings, errors = answering.answers(samples, folder)
            statistics = answering.described(samples, folder)
        except UserError as error:
            return _refused(error)
    assert len(stored) == len(warnings) == len(errors) == len(statistics) == len(samples)
    assert [bool(np.isnan(one).any()) for one in stored] == [error is not None for error in errors]
    return "answered" if not any(errors) else "answered in part"


def _refused(error: UserError) -> str:
    assert str(error).strip() and "Traceback" not in str(error)
    return "refused"
