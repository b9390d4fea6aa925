"""Times of a manifest, on their way to the splits."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.through import VALIDATE
from trivium import tasks
from trivium.data import tables
from trivium.data.alignment import align
from trivium.data.settings import Align, Manifest, Split, Stream
from trivium.data.sources.manifest import write
from trivium.data.splits import split
from trivium.data.validation import validate

SPLIT = Split(method="time", val=0.25, test=0.25, labels=1.0, group_identical_text=False, held_out_domain="")


def manifest(path: Path, time: str = "time") -> Manifest:
    usual = {name: name for name in Manifest.model_fields if name not in ("weight", "unlabelled", "outside")}
    return Manifest(**usual | {"path": str(path), "time": time})


@pytest.mark.parametrize("sort", ["timestamp", "text"])
def test_times_of_a_manifest_make_the_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sort: str) -> None:
    monkeypatch.chdir(tmp_path)
    times = [datetime(2024, 1, 1 + (7 * k) % 20, 12) for k in range(20)]
    shown = [moment if sort == "timestamp" else moment.isoformat() for moment in times]
    pq.write_table(pa.table({"id": [f"s{k:02}" for k in range(20)], "label": list("ab") * 10, "seen": shown,
                             "text": [f"words of {k}" for k in range(20)]}), "m.parquet")
    write(Path("raw"), manifest(Path("m.parquet"), "seen"), 0, {"text": Stream(modality="text")},
          tasks.kind("classification"))
    validate("raw", "valid", {"text": "text"}, VALIDATE)
    align("valid", "aligned", {"text": "text"}, Align(tolerance=0))
    report = split("aligned", "splits", SPLIT, 2)
    sides = tables.read("splits/splits.parquet")["seed_1"].to_pylist()
    order = sorted(range(20), key=times.__getitem__)
    assert [sides[k] for k in order] == ["train"] * 10 + ["val"] * 5 + ["test"] * 5
    assert report["time"]["first"] == {"train": "2024-01-01T12:00:00", "val": "2024-01-11T12:00:00",
                                       "test": "2024-01-16T12:00:00"}


def test_tables_of_data_without_times_have_no_such_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.csv").write_text("id,label,text\n" + "".join(f"{k},{'ab'[k % 2]},words {k}\n" for k in range(8)))
    write(Path("raw"), manifest(Path("m.csv")), 0, {"text": Stream(modality="text")}, tasks.kind("classification"))
    validate("raw", "valid", {"text": "text"}, VALIDATE)
    align("valid", "aligned", {"text": "text"}, Align(tolerance=0))
    assert "time" not in tables.names("raw/labels.parquet") + tables.names("aligned/samples.parquet")
