"""Streams of a manifest: several of one modality, and tables."""

from pathlib import Path
from typing import Any

import pytest

from tests.data.sources.manifests import ingest, save
from trivium import tasks
from trivium.data import tables
from trivium.data.settings import Manifest, Stream
from trivium.data.sources.manifest import write
from trivium.settings.errors import UserError

pytestmark = pytest.mark.usefixtures("folder")


def test_several_streams_of_one_modality(folder: Path) -> None:
    rows = [{"id": "1", "label": "a", "img": "img/a.png", "scan": "", "low": "b.wav", "hi": "b.wav", "start": "0.5"},
            {"id": "2", "label": "b", "img": "", "scan": "lost.png", "low": "", "hi": "b.wav", "start": ""}]
    made = ingest(save(rows), ("photo", "scan", "low", "high"), photo="img", high="hi")
    picture, sound = tables.digest(b"picture"), tables.digest(b"sound")
    assert made["photo"] == [{"key": "1", "value": "img/a.png", "digest": picture}]
    assert made["scan"] == [{"key": "2", "value": "lost.png", "digest": None}]
    assert made["low"] == [{"key": "1", "value": "b.wav", "digest": sound, "start": 0.5}]
    assert made["high"] == [{"key": key, "value": "b.wav", "digest": sound, "start": start}
                            for key, start in (("1", 0.5), ("2", None))]



@pytest.mark.parametrize(("changes", "message"), [
    ({"photo": "image"}, "has no column `image`, which data.streams.photo in params.yaml names. Did you mean `img`"),
    ({"photo": " IMG", "scan": "img"}, "`data.streams`: `photo` and `scan` are both read from the column `img`: name"),
])
def test_columns_of_streams(changes: dict[str, str], message: str) -> None:
    rows = [{"id": str(i), "label": "ab"[i], "img": "img/a.png", "scan": "img/a.png"} for i in range(2)]
    with pytest.raises(UserError, match=message):
        ingest(save(rows), ("photo", "scan"), **changes)



def tabled(columns: tuple[str, ...], rows: list[dict[str, Any]] | None = None, **names: str) -> list[dict[str, Any]]:
    """`facts.parquet` of a table with such columns."""
    file = save(rows or [{"id": "1", "label": "a", "Area": "61.2", "kind": " flat "},
                         {"id": "2", "label": "b", "Area": "", "kind": ""}])
    about = {name: names.get(name, name) for name in Manifest.model_fields if name != "outside"} | {
        "path": file, "weight": "", "unlabelled": ""}
    write(Path("raw"), Manifest(**about), 0, {"facts": Stream(modality="table", columns=columns)},
          tasks.kind("classification"))
    return tables.read("raw/facts.parquet").to_pylist()



def test_the_cells_of_a_row_are_one_value_and_none_is_no_value() -> None:
    assert tabled(("area", "kind")) == [{"key": "1", "value": '{"area":"61.2","kind":"flat"}', "digest": None}]



def test_a_table_names_columns_that_are_there_and_not_the_label() -> None:
    with pytest.raises(UserError, match="has no column `aera`, which data.streams.facts in params.yaml names. Did you "
                                        "mean `Area`"):
        tabled(("aera",))
    with pytest.raises(UserError, match="the column `label` of .* is read as the label and as facts"):
        tabled(("Area", "label"))
