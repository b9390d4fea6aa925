"""Rows that are anonymised, or forgotten, as they come in."""

from pathlib import Path

import pytest

from tests.data.sources.manifests import save
from trivium import tasks
from trivium.data import tables
from trivium.data.meta import Meta
from trivium.data.settings import Manifest, Stream
from trivium.data.sources.forgotten import PATH, Forgotten
from trivium.data.sources.manifest import write
from trivium.settings.errors import UserError

pytestmark = pytest.mark.usefixtures("folder")
ROWS = [{"id": f"r{i}", "label": "ab"[i % 2], "text": f"row {i} of a{i}@example.org"} for i in range(6)]


def ingest(out: str, path: str, **streams: Stream) -> list[dict[str, object]]:
    names = {name: name for name in Manifest.model_fields} | {"path": path, "weight": "", "unlabelled": "",
                                                              "outside": ()}
    write(Path(out), Manifest(**names), 0, streams or {"text": Stream(modality="text")}, tasks.kind("classification"))
    return tables.read(f"{out}/labels.parquet").to_pylist()


def test_texts_and_cells_are_anonymised_before_anything_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    path = save([row | {"area": 3, "who": "Mr. Smith"} for row in ROWS])
    ingest("raw", path, text=Stream(modality="text", anonymise=True),
           facts=Stream(modality="table", columns=("area", "who"), anonymise=["name"]))
    assert tables.read("raw/text.parquet")["value"].to_pylist() == [f"row {i} of [EMAIL]" for i in range(6)]
    assert tables.read("raw/facts.parquet")["value"][0].as_py() == '{"area":"3","who":"Mr. [NAME]"}'
    done = Meta.read("raw/meta.json").anonymised or {}
    assert (done["text"].rows, done["text"].texts, done["text"].found) == (6, 6, {"email": 6})
    assert done["facts"].rules.kinds == ("name",)
    said = capsys.readouterr().out
    assert "note: text: 6 of 6 values were anonymised (e-mail addresses: 6)." in said and "(names: 6)" in said


def test_without_the_setting_nothing_is_changed_or_said() -> None:
    ingest("raw", save(ROWS))
    assert tables.read("raw/text.parquet")["value"][0].as_py() == "row 0 of a0@example.org"
    assert "anonymised" not in Path("raw/meta.json").read_text()


def test_forgotten_rows_leave_the_bytes_of_a_table_that_never_had_them() -> None:
    twice = [*ROWS, ROWS[1] | {"text": "again"}, ROWS[5] | {"text": "again"}]  # an id that comes twice
    ingest("never", save([row for row in twice if row["id"] not in ("r1", "r4")]))
    path = save(twice)
    Forgotten().with_more(["r1", " r4 "]).write(PATH)
    assert [row["key"] for row in ingest("raw", path)] == ["r0", "r2", "r3", "r5", "r5 (row 5)"]
    for name in ("labels.parquet", "text.parquet", "meta.json"):
        assert Path("raw", name).read_bytes() == Path("never", name).read_bytes()
    assert "r1" not in PATH.read_text()


def test_digests_of_ids_are_keyed_anew_in_each_project() -> None:
    one, other = (Forgotten().with_more(["r1"]) for _ in range(2))
    assert one.ids != other.ids and one.key != other.key and one.with_more(["r1"]) == one


def test_where_all_rows_are_forgotten_that_is_said() -> None:
    Forgotten().with_more([str(row["id"]) for row in ROWS]).write(PATH)
    with pytest.raises(UserError, match="All rows of .* are forgotten"):
        ingest("raw", save(ROWS))
